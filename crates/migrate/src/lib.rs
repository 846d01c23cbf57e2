//! Move apps, volumes and machines between regions.
