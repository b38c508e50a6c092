//! JSON bodies, and clear words about those that are none.

use api::problem::ProblemCode;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serve::problem::Refusal;

/// The largest body of a request to the API; all of them are a few short fields.
pub(crate) const LARGEST: usize = 16 * 1024;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refusal(&rejection)),
        }
    }
}

/// What the decoder says may quote the body, which may hold a password: only its kind is told.
fn refusal(rejection: &JsonRejection) -> Refusal {
    match rejection {
        JsonRejection::MissingJsonContentType(_) => Refusal::new(
            ProblemCode::UnsupportedMediaType,
            "send the body as JSON, with Content-Type: application/json",
        ),
        _ if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(
            ProblemCode::TooLarge,
            format!("the body of such a request has at most {LARGEST} bytes"),
        ),
        JsonRejection::JsonDataError(_) => {
            Refusal::new(ProblemCode::BadRequest, "the body lacks a field, or one has the wrong form")
        }
        _ => Refusal::new(ProblemCode::BadRequest, "the body is no whole JSON document"),
    }
}
