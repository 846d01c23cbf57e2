//! The fake `fly`: prints recorded output only.
