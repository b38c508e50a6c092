//! Who the members are, which groups there are, and what limits hold: compiled, signed, folded small.
