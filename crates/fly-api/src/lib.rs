//! Typed client for the Fly.io APIs.
