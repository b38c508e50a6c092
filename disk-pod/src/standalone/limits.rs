//! Commits the limits that the operator would.

use api::bytes::Bytes;
use api::generation::RosterGeneration;
use api::ids::{SpaceId, VolumeName};
use futures::{StreamExt, stream};
use roster::compile::Compiled;
use spaces::{Freshness, Operation, OperationId, Request};
use uuid::Uuid;

use crate::app::App;

/// Spaces that are worked on at once.
const AT_ONCE: usize = 32;

/// Gives each space the limit that it has by the roster, unless it has it already.
pub(super) async fn commit(app: &App, compiled: &Compiled) {
    let members = compiled.members.iter().map(|member| (member.space, &member.volume, member.limit));
    let groups = compiled.groups.iter().map(|group| (group.space, &group.volume, group.capacity));
    stream::iter(members.chain(groups))
        .for_each_concurrent(AT_ONCE, |(space, volume, limit)| async move {
            if let Err(error) = commit_one(app, space, volume.clone(), limit).await {
                tracing::warn!(%space, %limit, %error, "The limit of a space could not be committed; the one before holds.");
            }
        })
        .await;
}

async fn commit_one(
    app: &App,
    space: SpaceId,
    volume: VolumeName,
    limit: Bytes,
) -> Result<(), spaces::Error> {
    let handle = app.engine.space(space, volume);
    if handle.snapshot(Freshness::Now).await.is_ok_and(|snapshot| snapshot.usage().limit == limit) {
        return Ok(());
    }
    // A space knows the last roster that gave it a limit: the next one is above that.
    let mut generation = RosterGeneration(1);
    loop {
        let operation = Operation::Limit { roster_generation: generation, target: limit, ceiling: limit };
        let request = Request { id: OperationId(Uuid::new_v4()), born: None, locks: Vec::new(), operation };
        match handle.commit(request).await {
            Ok(_) => return Ok(()),
            Err(spaces::Error::Superseded { seen }) if seen >= generation => {
                generation = RosterGeneration(seen.0 + 1);
            }
            Err(error) => return Err(error),
        }
    }
}
