//! What a pod that checked a volume says to the operator, as its last word.

use serde::{Deserialize, Serialize};

/// The longest message, in bytes: what Kubernetes keeps of a pod's last word has to hold it.
pub const LONGEST_MESSAGE: usize = 1_000;

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeCheck {
    /// Whether to use the volume.
    pub verdict: Verdict,
    /// How many pods took part.
    pub pods: u32,
    /// Why, in sentences for whoever runs the volume; empty when there is nothing to say.
    pub message: String,
}

/// Whether a volume does what is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It does.
    Suitable,
    /// It does, slowly.
    Slow,
    /// It does not.
    Unsuitable,
    /// The other pods did not come, so that what several see could not be tried.
    Alone,
}

impl VolumeCheck {
    /// An outcome; the message is cut where it is too long.
    #[must_use]
    pub fn new(verdict: Verdict, pods: u32, message: &str) -> Self {
        let mut end = message.len().min(LONGEST_MESSAGE);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        Self { verdict, pods, message: message.get(..end).unwrap_or_default().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_comes_back_and_is_never_too_long() {
        let told = VolumeCheck::new(Verdict::Unsuitable, 2, &"ü".repeat(LONGEST_MESSAGE));
        let text = serde_json::to_string(&told).unwrap();
        assert!(text.len() < 2 * LONGEST_MESSAGE, "{}", text.len());
        assert_eq!(serde_json::from_str::<VolumeCheck>(&text).unwrap(), told);
    }
}
