//! CBOR of the types that are not the engine's own, and of its small ones.

use api::generation::Generation;
use minicbor::decode::{Decode, Decoder, Error as DecodeError};
use minicbor::encode::{Encode, Encoder, Error as EncodeError, Write};
use uuid::Uuid;

use super::frame::Hash;
use super::pool::Fingerprint;
use crate::extent::{Extent, ObjectId, VolumeIndex, VolumeUid};
use crate::lock::LockToken;
use crate::name::Name;
use crate::node::NodeId;
use crate::operation::{OperationId, UploadId};
use crate::property::PropertyName;
use crate::share::{ShareAccess, ShareId, ShareTokenHash};

/// A newtype over a number, as the number.
macro_rules! number {
    ($module:ident, $type:ty) => {
        pub(crate) mod $module {
            use super::*;

            pub(crate) fn encode<C, W: Write>(
                value: &$type,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), EncodeError<W::Error>> {
                e.u64(value.0)?.ok()
            }

            pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<$type, DecodeError> {
                d.u64().map(|number| <$type>::from_number(number))
            }
        }
    };
}

trait FromNumber {
    fn from_number(number: u64) -> Self;
}

macro_rules! from_number {
    ($($type:ty),*) => {
        $(impl FromNumber for $type {
            fn from_number(number: u64) -> Self {
                Self(number)
            }
        })*
    };
}

from_number!(Generation, api::generation::RosterGeneration, api::bytes::Bytes);
number!(generation, Generation);
number!(roster_generation, api::generation::RosterGeneration);
number!(bytes, api::bytes::Bytes);

/// Whether a flag is not set, and so not written.
pub(crate) fn is_unset(flag: &bool) -> bool {
    !flag
}

/// A newtype over a UUID, as a byte string.
macro_rules! id {
    ($($type:ty),*) => {
        $(impl<C> Encode<C> for $type {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                e.bytes(self.0.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                uuid(d).map(Self)
            }
        })*
    };
}

id!(OperationId, UploadId, LockToken, ShareId, VolumeUid, super::entry::EntryId);

fn uuid(d: &mut Decoder<'_>) -> Result<Uuid, DecodeError> {
    Uuid::from_slice(d.bytes()?).map_err(|_| DecodeError::message("an id is not 16 bytes long"))
}

pub(crate) mod space {
    use api::ids::SpaceId;

    use super::*;

    pub(crate) fn encode<C, W: Write>(
        value: &SpaceId,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.bytes(value.0.as_bytes())?.ok()
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<SpaceId, DecodeError> {
        uuid(d).map(SpaceId)
    }
}

impl<C> Encode<C> for NodeId {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.u64(self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for NodeId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        d.u64().map(Self)
    }
}

impl<C> Encode<C> for VolumeIndex {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.u16(self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for VolumeIndex {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        d.u16().map(Self)
    }
}

/// Nothing is written of what lies on the home volume, as before there were others.
pub(crate) fn is_home(volume: &VolumeIndex) -> bool {
    *volume == VolumeIndex::default()
}

impl<C> Encode<C> for Fingerprint {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Fingerprint {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let bytes = d.bytes()?.try_into();
        bytes.map(Self).map_err(|_| DecodeError::message("a fingerprint is not 16 bytes long"))
    }
}

impl<C> Encode<C> for Hash {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Hash {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let bytes = d.bytes()?.try_into().map_err(|_| DecodeError::message("a hash is not 32 bytes long"))?;
        Ok(Self(bytes))
    }
}

impl<C> Encode<C> for ShareTokenHash {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ShareTokenHash {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let bytes = d.bytes()?.try_into().map_err(|_| DecodeError::message("a hash is not 32 bytes long"))?;
        Ok(Self(bytes))
    }
}

/// As a number, which is never used again.
impl<C> Encode<C> for ShareAccess {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.u8(match self {
            Self::Read => 0,
            Self::Upload => 1,
            Self::ReadAndUpload => 2,
            Self::Write => 3,
        })?
        .ok()
    }
}

impl<'b, C> Decode<'b, C> for ShareAccess {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        match d.u8()? {
            0 => Ok(Self::Read),
            1 => Ok(Self::Upload),
            2 => Ok(Self::ReadAndUpload),
            3 => Ok(Self::Write),
            _ => Err(DecodeError::message("what a share allows is not known")),
        }
    }
}

impl<C> Encode<C> for Name {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.str(self.as_str())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Name {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let text = d.str()?;
        let name: Self = text.parse().map_err(|error| DecodeError::message(format!("a name: {error}")))?;
        if name.as_str() == text { Ok(name) } else { Err(DecodeError::message("a name is not in form NFC")) }
    }
}

/// As an array: namespace, name.
impl<C> Encode<C> for PropertyName {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.array(2)?.str(&self.namespace)?.str(&self.name)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PropertyName {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        array(d, 2)?;
        Ok(Self::new(d.str()?, d.str()?))
    }
}

/// As an array: born, random.
impl<C> Encode<C> for ObjectId {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.array(2)?.u64(self.born.0)?.u64(self.random)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ObjectId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        array(d, 2)?;
        Ok(Self { born: Generation(d.u64()?), random: d.u64()? })
    }
}

/// As an array: volume, object, offset, length.
impl<C> Encode<C> for Extent {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
        let Self { volume, object, offset, length } = self;
        e.array(4)?.u16(volume.0)?;
        object.encode(e, ctx)?;
        e.u64(*offset)?.u64(*length)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Extent {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        array(d, 4)?;
        Ok(Self {
            volume: VolumeIndex(d.u16()?),
            object: ObjectId::decode(d, ctx)?,
            offset: d.u64()?,
            length: d.u64()?,
        })
    }
}

/// These arrays have their length for ever: what is new comes as a new field of a map.
fn array(d: &mut Decoder<'_>, length: u64) -> Result<(), DecodeError> {
    match d.array()? {
        Some(found) if found == length => Ok(()),
        _ => Err(DecodeError::message("an array is not as long as it must be")),
    }
}
