//! The checklist that every plan has.

use runbook::plan::Step;
use serde_json::json;

use super::draft::Draft;
use crate::inventory::room::needs;
use crate::steps::{ACCOUNTED, BACKUP, CONFIRM, DOCUMENTED, NAMES, REHEARSAL, ROOM, Waiver};

impl Draft<'_> {
    /// The gates before anything is changed.
    pub(super) fn gates(&mut self) {
        let (app, options) = (self.app().to_owned(), &self.request.options);
        let waiver = |why: Option<&String>| {
            why.map(|why| Waiver { by: options.operator.clone(), why: why.clone() })
        };
        let mounts: Vec<_> = self
            .inventory
            .in_region(&self.request.source)
            // What is lost is restored from the snapshot that there is; that is confirmed on its own.
            .filter(|machine| !super::kinds::is_lost(self.inventory, machine))
            .flat_map(|machine| {
                machine
                    .mounts
                    .iter()
                    .map(|mount| json!({"machine": machine.id, "path": mount.path}))
            })
            .collect();
        let mut steps = vec![
            Step::new("documented", DOCUMENTED, "the state before is saved")
                .why("what was there can be looked up, and an undo can be judged")
                .ensures("inventory and facts are in the plan beside the journal")
                .command(format!("fly machine list -a {app} --json"))
                .command(format!("fly volumes list -a {app} --json")),
            Step::new("backup", BACKUP, format!("backups are younger than {} hours", options.backup_hours))
                .why("no move is safer than its backup")
                .params(json!({"mounts": mounts, "max_age_hours": options.backup_hours, "waived": waiver(options.waive_backup.as_ref())}))
                .ensures("every volume that is moved has a young finished snapshot, or the operator said why not")
                .passing(),
            Step::new("rehearsal", REHEARSAL, "the move was rehearsed, or that is waived")
                .why("surprises belong into staging")
                .params(json!({
                    "question": "rehearsal",
                    "answer": options.rehearsed,
                    "by": options.operator,
                    "text": format!("it is not recorded that this move of app {app} was rehearsed"),
                    "how": "resume with --rehearsed WHERE, or --rehearsed 'waived: REASON'",
                }))
                .ensures("the journal says where it was rehearsed, or why not"),
            Step::new("names", NAMES, "DNS and certificates are in order")
                .why("addresses and certificates stay with the app: what is broken after the move was broken before")
                .params(json!({"waived": waiver(options.waive_names.as_ref())}))
                .ensures("every certificate of the app is active and its name points here")
                .passing()
                .command(format!("fly certs list -a {app}")),
            self.room(),
        ];
        steps.extend(self.hard_coded());
        self.serial("gates", "checklist", steps);
    }

    /// Names of the old region that are written somewhere: only a person can say whether they have to follow.
    fn hard_coded(&self) -> Option<Step> {
        let found = self.hard_coded_names();
        (!found.is_empty()).then(|| {
            Step::new("hard-coded", CONFIRM, "names of the old region were looked at")
                .why("they go on pointing at the old region after the move (H16)")
                .params(json!({
                    "question": "regions-checked",
                    "answer": self.request.options.regions_checked,
                    "by": self.request.options.operator,
                    "text": format!(
                        "nobody says whether these names of {} have to change: {}",
                        self.request.source,
                        found.join(", ")
                    ),
                    "how": "look at them, change what has to follow, then resume with --answer regions-checked=TEXT",
                }))
                .ensures("the journal says who looked at them")
        })
    }

    /// The target has room. Asked again here: a plan may be days old.
    fn room(&self) -> Step {
        let (source, target) = (&self.request.source, &self.request.target);
        let fallback: Vec<_> = self.regions.near(target, &[source]).into_iter().take(3).collect();
        Step::new("room", ROOM, format!("{target} has room"))
            .why("a region that is full is found out before anything is made (H11)")
            .params(json!({
                "org": self.inventory.org,
                "region": target,
                "needs": needs(self.inventory.in_region(source)),
                "fallback": fallback,
            }))
            .ensures("a placement dry run finds room for all copies; nothing is reserved by it")
            .passing()
            .command(format!("fly machine place --region {target} --org ORG"))
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
