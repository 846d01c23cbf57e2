//! Plans that survive being killed: plan, approve, apply, resume, undo.
