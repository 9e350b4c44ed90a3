//! DPAPI.
