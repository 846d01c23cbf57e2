// Drives the simulator with `fly-admin` (npm), a Machines client that other people wrote. Prints what it saw as JSON.
// usage: node fly-admin.cjs URL, with NODE_PATH naming the folder that has the package
// The package's own `createClient` drops these options, so the class below it is used.
const Client = require('fly-admin/dist/client').default;

const url = process.argv[2];
const fly = new Client('fo1_sim', { apiUrl: url, graphqlUrl: url });
const seen = {};
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function step(name, act) {
  try {
    seen[name] = { ok: (await act()) ?? null };
  } catch (error) {
    seen[name] = { error: String(error.message ?? error) };
  }
  // The documented limit is one call a second for each action; bursts of three are not the point here.
  await pause(20);
  return seen[name].ok;
}

(async () => {
  const app_name = 'from-npm';
  await step('createApp', () => fly.App.createApp({ name: app_name, org_slug: 'personal' }));
  await step('getApp', () => fly.App.getApp(app_name));
  await step('listApps', () => fly.App.listApps('personal'));
  const volume = await step('createVolume', () => fly.Volume.createVolume({ app_name, name: 'data', region: 'fra', size_gb: 1 }));
  const machine = await step('createMachine', () =>
    fly.Machine.createMachine({
      app_name, name: 'one', region: 'fra',
      config: { image: 'nginx', guest: { cpu_kind: 'shared', cpus: 1, memory_mb: 256 }, mounts: [{ volume: volume.id, path: '/data' }] },
    }));
  if (!machine) {
    console.log(JSON.stringify(seen));
    return;
  }
  const machine_id = machine.id;
  await step('waitStarted', () => fly.Machine.waitMachine({ app_name, machine_id, state: 'started', timeout: '30' }));
  await step('getMachine', () => fly.Machine.getMachine({ app_name, machine_id }));
  await step('listMachines', () => fly.Machine.listMachines(app_name));
  await step('listProcesses', () => fly.Machine.listProcesses({ app_name, machine_id }));
  await step('acquireLease', () => fly.Machine.acquireLease({ app_name, machine_id, ttl: 1 }));
  await step('getLease', () => fly.Machine.getLease({ app_name, machine_id }));
  await step('stopLeased', () => fly.Machine.stopMachine({ app_name, machine_id }));
  await pause(1300);
  await step('cordon', () => fly.Machine.cordonMachine({ app_name, machine_id }));
  await step('uncordon', () => fly.Machine.uncordonMachine({ app_name, machine_id }));
  await step('signal', () => fly.Machine.signalMachine({ app_name, machine_id, signal: 'SIGUSR1' }));
  const stopped = await step('stop', () => fly.Machine.stopMachine({ app_name, machine_id }));
  await step('waitStopped', () =>
    fly.Machine.waitMachine({ app_name, machine_id, state: 'stopped', timeout: '30', instance_id: machine.instance_id }));
  await step('start', () => fly.Machine.startMachine({ app_name, machine_id }));
  await step('waitAgain', () => fly.Machine.waitMachine({ app_name, machine_id, state: 'started', timeout: '30' }));
  await step('startAgain', () => fly.Machine.startMachine({ app_name, machine_id }));
  await step('update', () =>
    fly.Machine.updateMachine({ app_name, machine_id, config: { ...machine.config, env: { A: '1' } } }));
  await step('waitUpdated', () => fly.Machine.waitMachine({ app_name, machine_id, state: 'started', timeout: '30' }));
  await step('listVersions', () => fly.Machine.listVersions({ app_name, machine_id }));
  await step('listEvents', () => fly.Machine.listEvents({ app_name, machine_id }));
  await step('extendVolume', () => fly.Volume.extendVolume({ app_name, volume_id: volume.id, size_gb: 2 }));
  await step('deleteBoundVolume', () => fly.Volume.deleteVolume({ app_name, volume_id: volume.id }));
  await step('deleteRunning', () => fly.Machine.deleteMachine({ app_name, machine_id }));
  await step('deleteForced', () => fly.Machine.deleteMachine({ app_name, machine_id, force: true }));
  await pause(1000);
  await step('deleteVolume', () => fly.Volume.deleteVolume({ app_name, volume_id: volume.id }));
  await step('getNoMachine', () => fly.Machine.getMachine({ app_name, machine_id: '00000000000000' }));
  await step('deleteApp', () => fly.App.deleteApp(app_name));
  console.log(JSON.stringify(seen));
})();
