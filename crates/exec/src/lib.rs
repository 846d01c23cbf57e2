//! Runs other programs well.
