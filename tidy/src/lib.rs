//! Checks of the repository itself: rooms and arrows, file sizes, words.
