//! What happens by itself: due transitions are carried out, in order of time, whenever somebody looks.

use jiff::Timestamp;

use super::{Machine, State};

/// A destroyed Machine answers this long before it is forgotten.
const DESTROYED_KEPT_SECONDS: i64 = 60;

impl State {
    /// Brings the platform to `now`.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        if now <= self.now {
            return;
        }
        self.now = now;
        for app in self.apps.values_mut() {
            let mut released: Vec<String> = Vec::new();
            for machine in &mut app.machines {
                machine.settle(now, &mut released);
            }
            for volume in &mut app.volumes {
                if volume.attached.as_ref().is_some_and(|machine| released.contains(machine)) {
                    volume.attached = None;
                }
                while volume.pending.first().is_some_and(|(at, _)| *at <= now) {
                    volume.state = volume.pending.remove(0).1;
                }
            }
            app.volumes.retain(|volume| volume.state != "gone");
            app.machines.retain(|machine| {
                !machine.is_gone()
                    || now.duration_since(machine.updated_at).as_secs() < DESTROYED_KEPT_SECONDS
            });
        }
    }
}

impl Machine {
    fn settle(&mut self, now: Timestamp, released: &mut Vec<String>) {
        while self.pending.first().is_some_and(|pending| pending.at <= now) {
            let pending = self.pending.remove(0);
            self.state = pending.state;
            self.updated_at = pending.at;
            self.events.extend(pending.event);
            if pending.last {
                released.push(self.id.clone());
            }
        }
    }
}
