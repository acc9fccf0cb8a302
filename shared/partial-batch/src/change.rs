//! What happened to an item of a table.

use crate::RecordError;
use records::{EventName, UserIdentity, read_item};
use serde::Deserialize;

/// What happened to an item of type `T`: the images that the kind of change has, and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// The item is new.
    Insert {
        /// The item.
        new: T,
    },
    /// The item was there and is changed.
    Modify {
        /// The item after the change.
        new: T,
        /// The item before the change.
        old: T,
    },
    /// The item is gone.
    Remove {
        /// The item before it went.
        old: T,
        /// Who removed it.
        by: RemovedBy,
    },
}

/// Who removed an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovedBy {
    /// A caller of the table.
    User,
    /// DynamoDB itself, since the item's time to live was over.
    TimeToLive,
}

/// The fields of a change, each as JSON, not read yet.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChangeJson<'e> {
    pub(crate) event_name: Option<&'e str>,
    pub(crate) user_identity: Option<&'e str>,
    pub(crate) new_image: Option<&'e str>,
    pub(crate) old_image: Option<&'e str>,
}

/// Reads the images that the kind of change needs.
pub(crate) fn read_change<'p, T: Deserialize<'p>>(json: &ChangeJson<'p>) -> Result<Change<T>, RecordError> {
    let new = || image("NewImage", json.new_image);
    let old = || image("OldImage", json.old_image);
    match json.event_name.and_then(|name| serde_json::from_str(name).ok()) {
        Some(EventName::Insert) => Ok(Change::Insert { new: new()? }),
        Some(EventName::Modify) => Ok(Change::Modify { new: new()?, old: old()? }),
        Some(EventName::Remove) => Ok(Change::Remove { old: old()?, by: removed_by(json.user_identity) }),
        None => Err(RecordError::invalid("expected `eventName` INSERT, MODIFY or REMOVE")),
    }
}

fn image<'p, T: Deserialize<'p>>(field: &str, json: Option<&'p str>) -> Result<T, RecordError> {
    let Some(json) = json else {
        let help = "is the stream's view NEW_AND_OLD_IMAGES?";
        return Err(RecordError::invalid(format_args!("the record has no `dynamodb.{field}`: {help}")));
    };
    read_item(json).map_err(|error| RecordError::invalid(format_args!("`dynamodb.{field}` does not fit: {error}")))
}

fn removed_by(identity: Option<&str>) -> RemovedBy {
    match identity.and_then(|identity| serde_json::from_str::<UserIdentity>(identity).ok()) {
        Some(identity) if identity.kind == "Service" && identity.principal_id == "dynamodb.amazonaws.com" => {
            RemovedBy::TimeToLive
        }
        _ => RemovedBy::User,
    }
}
