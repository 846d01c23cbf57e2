//! One command turns a sick Fly.io app into a redacted, verified support bundle.
