//! Fly.io on loopback, for demos, tests and other people's clients.
