//! The checklist that every plan has.

use runbook::plan::Step;
use serde_json::json;

use super::draft::Draft;
use crate::steps::{ACCOUNTED, BACKUP, DOCUMENTED, NAMES, REHEARSAL};

impl Draft<'_> {
    /// The gates before anything is changed.
    pub(super) fn gates(&mut self) {
        let (app, options) = (self.app().to_owned(), &self.request.options);
        let mounts: Vec<_> = self
            .inventory
            .in_region(&self.request.source)
            .flat_map(|machine| {
                machine
                    .mounts
                    .iter()
                    .map(|mount| json!({"machine": machine.id, "path": mount.path}))
            })
            .collect();
        let steps = vec![
            Step::new("documented", DOCUMENTED, "the state before is saved")
                .why("what was there can be looked up, and an undo can be judged")
                .ensures("inventory and facts are in the plan beside the journal")
                .command(format!("fly machine list -a {app} --json"))
                .command(format!("fly volumes list -a {app} --json")),
            Step::new("backup", BACKUP, format!("backups are younger than {} hours", options.backup_hours))
                .why("no move is safer than its backup")
                .params(json!({"mounts": mounts, "max_age_hours": options.backup_hours, "waived": options.waive_backup}))
                .ensures("every volume that is moved has a young finished snapshot, or the operator said why not")
                .passing(),
            Step::new("rehearsal", REHEARSAL, "the move was rehearsed, or that is waived")
                .why("surprises belong into staging")
                .params(json!({
                    "question": "rehearsal",
                    "answer": options.rehearsed,
                    "text": format!("it is not recorded that this move of app {app} was rehearsed"),
                    "how": "resume with --rehearsed WHERE, or --rehearsed 'waived: REASON'",
                }))
                .ensures("the journal says where it was rehearsed, or why not"),
            Step::new("names", NAMES, "DNS and certificates are in order")
                .why("addresses and certificates stay with the app: what is broken after the move was broken before")
                .params(json!({"waived": options.waive_names}))
                .ensures("every certificate of the app is active and its name points here")
                .passing()
                .command(format!("fly certs list -a {app}")),
        ];
        self.serial("gates", "checklist", steps);
    }

    /// The gate after everything: nothing is forgotten in the old region.
    pub(super) fn accounted(&self) -> Step {
        let source = &self.request.source;
        let machines: Vec<_> =
            self.inventory.in_region(source).map(|machine| &machine.id).collect();
        let volumes: Vec<_> = self
            .inventory
            .volumes
            .iter()
            .filter(|one| &one.region == source)
            .map(|one| &one.id)
            .collect();
        Step::new("accounted", ACCOUNTED, format!("everything left in {source} is known"))
            .why("what is forgotten goes on costing money")
            .params(json!({"region": source, "mark": self.scope.mark, "machines": machines, "volumes": volumes}))
            .ensures("nothing is in the old region that the plan does not know; `cleanup` removes it")
            .passing()
    }
}
