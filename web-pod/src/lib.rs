//! A web server: the page, sign-in, finding a disk server, self-service.
