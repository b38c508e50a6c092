//! A disk server: transfers and file management over HTTP for any member.
