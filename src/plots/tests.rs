//! Every picture by itself: of nothing, and of small tables.
#![cfg(test)]
