//! Every resource under `/v1/spaces/{space}`: the table that the router is made of, and the document that describes it.

use axum::body::Body;
use axum::response::Response;
use futures::future::BoxFuture;
use http::Method;
use http::request::Parts;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{delete, get as download, list, operations, put, search, trash, usage, versions, wanted, zip};
use crate::app::App;
use crate::error::Error;
use crate::links;
use crate::tus;

type Answer = Result<Response, Error>;

/// Answers one request.
type Call = fn(App, Parts, Body) -> BoxFuture<'static, Answer>;

/// What a path is, and what can be done with it.
pub(crate) struct Resource {
    /// Below the space; the first is the one that is documented.
    pub(crate) paths: &'static [&'static str],
    /// The methods, as `Allow` has them.
    pub(crate) allow: &'static str,
    pub(crate) operations: &'static [Operation],
}

/// One method of a resource.
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// In the document alone.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) takes: Content,
    /// Of a success: the status, and what comes with it.
    pub(crate) gives: &'static [(u16, &'static str, Content)],
    pub(crate) call: Call,
}

/// What a body is.
pub(crate) enum Content {
    Nothing,
    Json(fn(&mut SchemaGenerator) -> Schema),
    Bytes(&'static str),
}

/// What a request can say beside its path and its body.
pub(crate) struct Parameter {
    pub(crate) place: Place,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) about: &'static str,
}

/// Where a parameter stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Query,
    Header,
}

/// What a parameter is.
pub(crate) enum Kind {
    Text,
    Number,
    Switch,
    OneOf(&'static [&'static str]),
    Repeated,
}

fn json<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn query(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter { place: Place::Query, name, kind, about }
}

const fn header(name: &'static str, about: &'static str) -> Parameter {
    Parameter { place: Place::Header, name, kind: Kind::Text, about }
}

const fn size(name: &'static str, about: &'static str) -> Parameter {
    Parameter { place: Place::Header, name, kind: Kind::Number, about }
}

const AFTER: Parameter = query("after", Kind::Text, "What `next` of the page before was.");
const LIMIT: Parameter = query("limit", Kind::Number, "The most entries of a page.");
const AT: Parameter = query(
    "at",
    Kind::Text,
    "As it was: a generation, or a time as of RFC 3339, as far back as history is kept.",
);
const OPERATION_ID: Parameter =
    header("Operation-Id", "A UUID that the client chose: a repetition with it is told the first outcome.");
const IF_MATCH: Parameter = header("If-Match", "Only if it is one of these versions.");
const TUS: Parameter = header("Tus-Resumable", "1.0.0");
const CHECKSUM: Parameter =
    header("Upload-Checksum", "`sha1`, `sha256` or `sha512`, a space, the checksum in base64.");
const OFFSET: &str = "application/offset+octet-stream";

const READING: &[Parameter] = &[
    query("inline", Kind::Switch, "Shown instead of stored; sandboxed all the same."),
    query("version", Kind::Number, "What the file held before: the number of that content."),
    AT,
    header(
        "Range",
        "`bytes=a-b`, or several with commas between: then the answer is `multipart/byteranges`.",
    ),
    header("If-Range", "A strong entity tag."),
    IF_MATCH,
    header("If-None-Match", "Not if it is one of these versions: 304."),
    header("If-Modified-Since", "Counts without If-None-Match."),
    header("If-Unmodified-Since", "Counts without If-Match."),
];

macro_rules! call {
    ($function:path) => {
        |app, head, _| Box::pin(async move { $function(&app, &head).await })
    };
    ($function:path, body) => {
        |app, head, body| Box::pin(async move { $function(&app, &head, body).await })
    };
}

/// All of them.
pub(crate) static RESOURCES: &[Resource] = &[
    Resource {
        paths: &["files/{*path}", "files"],
        allow: "GET, HEAD, PUT, DELETE, OPTIONS",
        operations: &[
            Operation {
                method: Method::GET,
                id: "readFile",
                summary: "Read a file, or a part of it.",
                parameters: READING,
                takes: Content::Nothing,
                gives: &[
                    (200, "The file.", Content::Bytes("*/*")),
                    (206, "A part of it.", Content::Bytes("*/*")),
                    (304, "The one who asks has it.", Content::Nothing),
                ],
                call: call!(download::get),
            },
            Operation {
                method: Method::HEAD,
                id: "lookAtFile",
                summary: "The headers of a file.",
                parameters: READING,
                takes: Content::Nothing,
                gives: &[
                    (200, "There it is.", Content::Nothing),
                    (304, "The one who asks has it.", Content::Nothing),
                ],
                call: call!(download::get),
            },
            Operation {
                method: Method::PUT,
                id: "writeFile",
                summary: "Store a file, durably, as a whole or not at all.",
                parameters: &[
                    query("parents", Kind::Switch, "Directories above that are missing are made."),
                    IF_MATCH,
                    header("If-None-Match", "`*`: only if nothing is there."),
                    header("Content-Digest", "Of RFC 9530: `sha-256` or `sha-512`."),
                    header("Repr-Digest", "The same thing, for a body is a whole file."),
                    OPERATION_ID,
                ],
                takes: Content::Bytes("*/*"),
                gives: &[
                    (201, "It is new.", Content::Nothing),
                    (204, "It has this content now.", Content::Nothing),
                ],
                call: call!(put::put, body),
            },
            Operation {
                method: Method::DELETE,
                id: "deleteFile",
                summary: "Put a file, or a directory with all in it, into the trash.",
                parameters: &[
                    query("permanently", Kind::Switch, "Past the trash, for good."),
                    IF_MATCH,
                    OPERATION_ID,
                ],
                takes: Content::Nothing,
                gives: &[(204, "It is gone.", Content::Nothing)],
                call: call!(delete::delete),
            },
        ],
    },
    Resource {
        paths: &["list/{*path}", "list", "list/"],
        allow: "GET, OPTIONS",
        operations: &[Operation {
            method: Method::GET,
            id: "list",
            summary: "What is in a directory, page by page.",
            parameters: &[
                LIMIT,
                AFTER,
                query("sort", Kind::OneOf(&["name", "size", "modified"]), "By what; by name if not said."),
                query("order", Kind::OneOf(&["asc", "desc"]), "In which direction."),
                AT,
            ],
            takes: Content::Nothing,
            gives: &[(200, "A page.", Content::Json(json::<list::Listing>))],
            call: call!(list::list),
        }],
    },
    Resource {
        paths: &["search"],
        allow: "GET, OPTIONS",
        operations: &[Operation {
            method: Method::GET,
            id: "search",
            summary: "What has a text in its name, wherever it is.",
            parameters: &[
                query("q", Kind::Text, "The text; neither case nor composition counts."),
                query("under", Kind::Text, "The directory; the root if not said."),
                LIMIT,
                AFTER,
                AT,
            ],
            takes: Content::Nothing,
            gives: &[(200, "What was found.", Content::Json(json::<search::Found>))],
            call: call!(search::search),
        }],
    },
    Resource {
        paths: &["zip/{*path}", "zip", "zip/"],
        allow: "GET, HEAD, OPTIONS",
        operations: &[
            Operation {
                method: Method::GET,
                id: "zip",
                summary: "A directory, or some things in it, as one zip file, of one generation.",
                parameters: &[query("path", Kind::Repeated, "In the directory: only this."), AT],
                takes: Content::Nothing,
                gives: &[(200, "The zip file.", Content::Bytes("application/zip"))],
                call: call!(zip::get),
            },
            Operation {
                method: Method::HEAD,
                id: "lookAtZip",
                summary: "How long the zip file would be.",
                parameters: &[query("path", Kind::Repeated, "In the directory: only this."), AT],
                takes: Content::Nothing,
                gives: &[(200, "It can be had.", Content::Nothing)],
                call: call!(zip::get),
            },
        ],
    },
    Resource {
        paths: &["operations"],
        allow: "POST, OPTIONS",
        operations: &[Operation {
            method: Method::POST,
            id: "operate",
            summary: "Make a directory, move, copy, delete, bring back, purge: one operation, done whole or not at all.",
            parameters: &[IF_MATCH, OPERATION_ID],
            takes: Content::Json(json::<wanted::Wanted>),
            gives: &[(200, "It is done.", Content::Json(json::<operations::Done>))],
            call: call!(operations::operations, body),
        }],
    },
    Resource {
        paths: &["trash"],
        allow: "GET, OPTIONS",
        operations: &[Operation {
            method: Method::GET,
            id: "trash",
            summary: "What was deleted and can be brought back, the last first.",
            parameters: &[LIMIT, AFTER],
            takes: Content::Nothing,
            gives: &[(200, "A page.", Content::Json(json::<trash::Trash>))],
            call: call!(trash::list),
        }],
    },
    Resource {
        paths: &["versions/{*path}"],
        allow: "GET, OPTIONS",
        operations: &[Operation {
            method: Method::GET,
            id: "versions",
            summary: "What a file held before, the last first.",
            parameters: &[],
            takes: Content::Nothing,
            gives: &[(200, "All of them.", Content::Json(json::<versions::Versions>))],
            call: call!(versions::list),
        }],
    },
    Resource {
        paths: &["usage"],
        allow: "GET, OPTIONS",
        operations: &[Operation {
            method: Method::GET,
            id: "usage",
            summary: "How full the space is.",
            parameters: &[],
            takes: Content::Nothing,
            gives: &[(200, "The numbers, in bytes.", Content::Json(json::<usage::Usage>))],
            call: call!(usage::usage),
        }],
    },
    Resource {
        paths: &["shares"],
        allow: "GET, POST, OPTIONS",
        operations: &[
            Operation {
                method: Method::GET,
                id: "listShares",
                summary: "The share links into the space, without their secrets.",
                parameters: &[],
                takes: Content::Nothing,
                gives: &[(200, "All of them.", Content::Json(json::<links::Listed>))],
                call: call!(links::list),
            },
            Operation {
                method: Method::POST,
                id: "share",
                summary: "Make a link to a file or directory. Its secret is in the answer and never shown again.",
                parameters: &[],
                takes: Content::Json(json::<links::Wanted>),
                gives: &[(201, "The link.", Content::Json(json::<links::Made>))],
                call: |app, head, body| {
                    Box::pin(async move { Box::pin(links::create(&app, &head, body)).await })
                },
            },
        ],
    },
    Resource {
        paths: &["shares/{share}"],
        allow: "DELETE, OPTIONS",
        operations: &[Operation {
            method: Method::DELETE,
            id: "removeShare",
            summary: "Take a link back.",
            parameters: &[OPERATION_ID],
            takes: Content::Nothing,
            gives: &[(204, "It opens nothing any more.", Content::Nothing)],
            call: |app, head, _| Box::pin(async move { Box::pin(links::remove(&app, &head)).await }),
        }],
    },
    Resource {
        paths: &["uploads"],
        allow: "POST, OPTIONS",
        operations: &[
            Operation {
                method: Method::POST,
                id: "beginUpload",
                summary: "Begin a resumable upload: tus 1.0, creation and creation-with-upload.",
                parameters: &[
                    TUS,
                    size("Upload-Length", "How many bytes it will have; they are reserved."),
                    header("Upload-Metadata", "`path` in base64, and `replace`, `parents`."),
                    CHECKSUM,
                    OPERATION_ID,
                ],
                takes: Content::Bytes(OFFSET),
                gives: &[(201, "It is at `Location`.", Content::Nothing)],
                call: call!(tus::create::create, body),
            },
            Operation {
                method: Method::OPTIONS,
                id: "uploadOptions",
                summary: "What this server can do of tus.",
                parameters: &[],
                takes: Content::Nothing,
                gives: &[(204, "In the headers.", Content::Nothing)],
                call: |app, _, _| Box::pin(async move { Ok(tus::options(&app)) }),
            },
        ],
    },
    Resource {
        paths: &["uploads/{upload}"],
        allow: "HEAD, PATCH, DELETE, OPTIONS",
        operations: &[
            Operation {
                method: Method::HEAD,
                id: "lookAtUpload",
                summary: "Up to where an upload is durable, whichever server took it.",
                parameters: &[TUS],
                takes: Content::Nothing,
                gives: &[(200, "In `Upload-Offset`.", Content::Nothing)],
                call: call!(tus::resource::head),
            },
            Operation {
                method: Method::PATCH,
                id: "continueUpload",
                summary: "Go on with an upload; with its last byte the file is there.",
                parameters: &[TUS, size("Upload-Offset", "Where the bytes begin."), CHECKSUM],
                takes: Content::Bytes(OFFSET),
                gives: &[(204, "Durable up to `Upload-Offset`.", Content::Nothing)],
                call: call!(tus::resource::patch, body),
            },
            Operation {
                method: Method::DELETE,
                id: "giveUpUpload",
                summary: "Give up an upload, and give back what it reserved.",
                parameters: &[TUS, OPERATION_ID],
                takes: Content::Nothing,
                gives: &[(204, "It is gone.", Content::Nothing)],
                call: call!(tus::resource::delete),
            },
            Operation {
                method: Method::OPTIONS,
                id: "uploadOptionsOfOne",
                summary: "What this server can do of tus.",
                parameters: &[],
                takes: Content::Nothing,
                gives: &[(204, "In the headers.", Content::Nothing)],
                call: |app, _, _| Box::pin(async move { Ok(tus::options(&app)) }),
            },
        ],
    },
];

impl Resource {
    /// What is done with a method.
    pub(crate) fn operation(&self, method: &Method) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.method == *method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_is_what_there_is() {
        for resource in RESOURCES {
            let mut methods: Vec<&str> =
                resource.operations.iter().map(|operation| operation.method.as_str()).collect();
            methods.retain(|method| *method != "OPTIONS");
            methods.push("OPTIONS");
            assert_eq!(methods.join(", "), resource.allow, "{:?}", resource.paths);
        }
    }
}
