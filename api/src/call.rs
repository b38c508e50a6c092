//! A call from one program to another on a private port: its bearer token is good for one body, in one internet disk,
//! for a minute.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::ClusterUid;
use crate::keys::{self, KeyError, SigningKey, Trust};
use crate::ticket::{CLOCK_LEEWAY, TicketError};

/// A call is made at once, so its token need not live for long.
const LIVES: SignedDuration = SignedDuration::from_secs(30);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Claims {
    cluster: ClusterUid,
    expires: Timestamp,
    body: String,
}

/// The token of a call.
///
/// # Errors
/// When it cannot be signed.
pub fn authorise(
    key: &SigningKey,
    purpose: &'static str,
    cluster: ClusterUid,
    body: &[u8],
) -> Result<String, KeyError> {
    let expires = Timestamp::now().checked_add(LIVES).map_err(|_| KeyError::Signing)?;
    keys::sign(key, purpose, &Claims { cluster, expires, body: blake3::hash(body).to_hex().to_string() })
}

/// Whether a call was made by somebody who is trusted, with exactly this body, lately.
///
/// # Errors
/// Why it is not believed.
pub fn check(
    token: &str,
    purpose: &'static str,
    trust: &Trust,
    cluster: ClusterUid,
    body: &[u8],
) -> Result<(), TicketError> {
    let claims: Claims = keys::verify(token, purpose, trust)?;
    if claims.cluster != cluster {
        return Err(TicketError::WrongCluster);
    }
    if Timestamp::now().duration_since(claims.expires) > CLOCK_LEEWAY {
        return Err(TicketError::Expired);
    }
    if blake3::hash(body).to_hex().as_str() != claims.body {
        return Err(TicketError::BadSignature);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::keys::purpose::{CREDENTIAL_CHECK, LIMITS};

    #[test]
    fn a_call_is_good_for_its_body_purpose_key_and_cluster_alone() {
        let (ours, theirs) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let trust = Trust::new([ours.verifying_key().clone()]);
        let cluster = ClusterUid(Uuid::new_v4());
        let token = authorise(&ours, CREDENTIAL_CHECK, cluster, b"body").unwrap();
        let other = ClusterUid(Uuid::new_v4());
        assert_eq!(check(&token, CREDENTIAL_CHECK, &trust, cluster, b"body"), Ok(()));
        for (purpose, cluster, body, error) in [
            (CREDENTIAL_CHECK, cluster, &b"bodies"[..], TicketError::BadSignature),
            (LIMITS, cluster, b"body", TicketError::BadSignature),
            (CREDENTIAL_CHECK, other, b"body", TicketError::WrongCluster),
        ] {
            assert_eq!(check(&token, purpose, &trust, cluster, body), Err(error));
        }
        let foreign = authorise(&theirs, CREDENTIAL_CHECK, cluster, b"body").unwrap();
        let refused = check(&foreign, CREDENTIAL_CHECK, &trust, cluster, b"body");
        assert_eq!(refused, Err(TicketError::UnknownKey));
    }
}
