"""Drives the simulator with `flaude` (PyPI), a Machines client that other people wrote. Prints what it saw as JSON.

usage: python flaude_client.py URL
"""

import asyncio
import json
import sys

from flaude import app, fly_client, machine, volume
from flaude.machine_config import MachineConfig
from flaude.runner import wait_for_machine_exit

fly_client.FLY_API_BASE = sys.argv[1] + "/v1"
TOKEN = "fo1_sim"
NAME = "from-pypi"
seen = {}


async def step(name, work):
    try:
        value = await work
        seen[name] = {"ok": str(value) if value is not None else None}
        return value
    except Exception as error:  # what a client raises is what is compared
        seen[name] = {"error": f"{type(error).__name__}: {error}"}
        return None


async def main():
    await step("noApp", app.get_app(NAME, token=TOKEN))
    await step("createApp", app.create_app(NAME, org="personal", token=TOKEN))
    await step("ensureApp", app.ensure_app(NAME, org="personal", token=TOKEN))
    disk = await step("createVolume", volume.create_volume(NAME, region="fra", size_gb=1, token=TOKEN))
    await step("listVolumes", volume.list_volumes(NAME, token=TOKEN))
    config = MachineConfig(
        image="nginx",
        region="fra",
        vm_size="performance-2x",
        vm_cpus=2,
        vm_memory_mb=4096,
        auto_destroy=False,
        claude_code_oauth_token="x",
        github_username="x",
        github_token="x",
        prompt="x",
    )
    made = await step("createMachine", machine.create_machine(NAME, config, name="one", token=TOKEN))
    await asyncio.sleep(2)
    await step("getMachine", machine.get_machine(NAME, made.id, token=TOKEN))
    await step("stop", machine.stop_machine(NAME, made.id, token=TOKEN))
    await step("waitExit", wait_for_machine_exit(NAME, made.id, token=TOKEN, timeout=20))
    await step("start", machine.start_machine(NAME, made.id, token=TOKEN))
    await step("destroy", machine.destroy_machine(NAME, made.id, token=TOKEN))
    await step("destroyTwice", machine.destroy_machine(NAME, made.id, token=TOKEN))
    await step("getNone", machine.get_machine(NAME, "00000000000000", token=TOKEN))
    await step("destroyVolume", volume.destroy_volume(NAME, disk.id, token=TOKEN))
    print(json.dumps(seen))


asyncio.run(main())
