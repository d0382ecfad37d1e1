//! The parsed tree of a pipeline file as serde reads it. An error keeps the key and the place of what is wrong as fields.

use std::fmt::{self, Display};
use std::iter;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, Unexpected, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys;
use crate::suggest::suggestion;

/// An error in a table or a value, with its place.
#[derive(Debug)]
pub(super) struct Fault {
    /// The byte of the text where it is; `None` if it concerns the whole file.
    pub(super) at: Option<usize>,
    /// The innermost key whose value is wrong.
    key: Option<String>,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    /// A key is missing; the message names it.
    Missing(String),
    /// A key is unknown; the message names it.
    Unknown(String),
    /// The value of a key is wrong.
    Value(String),
}

impl Fault {
    /// Sets the place of the fault, if no inner place is known.
    fn or_at(mut self, at: usize) -> Self {
        self.at.get_or_insert(at);
        self
    }

    /// Sets the key whose value is wrong, if no inner key is known.
    pub(super) fn within(mut self, key: &str, value: Node<'_>) -> Self {
        self.key.get_or_insert_with(|| key.to_owned());
        self.or_at(value.at)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.problem, &self.key) {
            (Problem::Value(problem), Some(key)) => write!(f, "`{key}`: {problem}"),
            (Problem::Unknown(problem), key) => {
                let table = key.as_deref().unwrap_or("pipeline");
                let command = keys::find(table).map_or_else(|_| String::new(), |_| keys_of(table));
                write!(f, "{problem}{command}")
            }
            (Problem::Value(problem) | Problem::Missing(problem), _) => f.write_str(problem),
        }
    }
}

impl std::error::Error for Fault {}

/// The command that lists the keys of a table, for the end of a message.
pub(super) fn keys_of(table: &str) -> String {
    format!(" (`infoplane keys {table}` lists the keys)")
}

impl de::Error for Fault {
    fn custom<T: Display>(problem: T) -> Self {
        Self { at: None, key: None, problem: Problem::Value(problem.to_string()) }
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match got {
            // The name of a form that needs a value, without the value.
            Unexpected::UnitVariant => {
                Self::custom("this form needs a value; write a table with one key, as { every = 10 }")
            }
            Unexpected::Signed(number) => Self::custom(format!("must be {expected}, got {number}")),
            Unexpected::Str(text) => Self::custom(format!("must be {expected}, got \"{text}\"")),
            Unexpected::Seq => Self::custom(format!("must be {expected}, got a list")),
            Unexpected::Map => Self::custom(format!("must be {expected}, got a table")),
            got => Self::custom(format!("must be {expected}, got {got}")),
        }
    }

    fn unknown_field(name: &str, names: &'static [&'static str]) -> Self {
        let problem = format!("unknown key `{name}`; {}", suggestion(name, names.iter().copied()));
        Self { at: None, key: None, problem: Problem::Unknown(problem) }
    }

    fn missing_field(name: &'static str) -> Self {
        Self { at: None, key: None, problem: Problem::Missing(format!("missing key `{name}`")) }
    }

    fn unknown_variant(name: &str, names: &'static [&'static str]) -> Self {
        Self::custom(format!("unknown choice `{name}`; {}", suggestion(name, names.iter().copied())))
    }
}

/// A value with the byte of the text where it begins, which is on the line of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located<T> {
    pub(super) at: usize,
    pub(super) value: T,
}

/// The type name by which [`Node`] recognises that a [`Located`] is read.
const LOCATED: &str = "Located";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_newtype_struct(LOCATED, LocatedVisitor(PhantomData))
    }
}

struct LocatedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LocatedVisitor<T> {
    type Value = Located<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (at, value) = map.next_entry()?.ok_or_else(|| A::Error::custom("a value without its place"))?;
        Ok(Located { at, value })
    }
}

/// A value of the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'t> {
    /// The byte of the text where it begins.
    pub(super) at: usize,
    value: &'t DeValue<'t>,
}

impl<'t> From<&'t Spanned<DeValue<'t>>> for Node<'t> {
    fn from(value: &'t Spanned<DeValue<'t>>) -> Self {
        Self { at: value.span().start, value: value.get_ref() }
    }
}

/// A value of the tree as a whole number; `None` if it is not one, or has more than 64 bits.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    value.as_integer().and_then(|integer| i64::from_str_radix(integer.as_str(), integer.radix()).ok())
}

/// A value of the tree as a number.
pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    let float = || value.as_float().and_then(|float| float.as_str().parse().ok());
    integer(value).map(|integer| integer as f64).or_else(float)
}

impl<'t> Node<'t> {
    /// The value as a table.
    pub(super) fn table(self) -> Result<&'t DeTable<'t>, Fault> {
        self.value.as_table().ok_or_else(|| self.refused("a table"))
    }

    fn refused(self, expected: &str) -> Fault {
        let got = match self.value {
            DeValue::String(text) => format!("\"{text}\""),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Datetime(date) => date.to_string(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        Fault::custom(format!("must be {expected}, got {got}")).or_at(self.at)
    }

    fn visit_integer<V: Visitor<'t>>(
        self,
        allowed: RangeInclusive<i64>,
        expected: &str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let integer = integer(self.value).filter(|integer| allowed.contains(integer));
        visitor.visit_i64(integer.ok_or_else(|| self.refused(expected))?)
    }

    /// As [`Deserializer::deserialize_any`], if the value has the expected type.
    fn visit_if<V: Visitor<'t>>(self, is_fit: bool, expected: &str, visitor: V) -> Result<V::Value, Fault> {
        if is_fit { self.deserialize_any(visitor) } else { Err(self.refused(expected)) }
    }
}

impl<'t> Deserializer<'t> for Node<'t> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match self.value {
            DeValue::String(text) => visitor.visit_borrowed_str(text),
            DeValue::Integer(_) => self.visit_integer(i64::MIN..=i64::MAX, "a whole number of 64 bits", visitor),
            DeValue::Float(_) => {
                visitor.visit_f64(number(self.value).ok_or_else(|| self.refused("a number of 64 bits"))?)
            }
            DeValue::Boolean(flag) => visitor.visit_bool(*flag),
            DeValue::Datetime(date) => visitor.visit_string(date.to_string()),
            DeValue::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Node::from))),
            DeValue::Table(table) => visitor.visit_map(Entries::new(table)),
        };
        read.map_err(|fault| fault.or_at(self.at))
    }

    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_if(self.value.is_bool(), "true or false", visitor)
    }

    fn deserialize_i32<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_integer(i32::MIN.into()..=i32::MAX.into(), "a whole number of 32 bits", visitor)
    }

    fn deserialize_i64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_integer(i64::MIN..=i64::MAX, "a whole number", visitor)
    }

    fn deserialize_u64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_integer(0..=i64::MAX, "a whole number of at least 0", visitor)
    }

    fn deserialize_f64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_f64(number(self.value).ok_or_else(|| self.refused("a number"))?)
    }

    fn deserialize_str<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_if(self.value.is_str(), "a text", visitor)
    }

    fn deserialize_string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.value.is_table() {
            let problem =
                "must be a list of tables, got a single table; write its name in double brackets, as `[[estimate]]`";
            return Err(Fault::custom(problem).or_at(self.at));
        }
        self.visit_if(self.value.is_array(), "a list", visitor)
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        let is_fit = self.value.as_array().is_some_and(|items| items.len() == len);
        self.visit_if(is_fit, &format!("a list of {len} values"), visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_if(self.value.is_table(), "a table", visitor)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        match name {
            LOCATED => visitor.visit_map(MapDeserializer::new(iter::once((self.at, self)))),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let read = match self.value {
            DeValue::String(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            DeValue::Table(table) if table.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries::new(table)))
            }
            _ => Err(self.refused("a name or a table with one key, as { every = 10 }")),
        };
        read.map_err(|fault| fault.or_at(self.at))
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'t>>
        i8 i16 i128 u8 u16 u32 u128 f32 char bytes byte_buf unit unit_struct tuple_struct identifier
    }
}

impl<'t> IntoDeserializer<'t, Fault> for Node<'t> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The keys and values of a table, in the order of the tree.
pub(super) struct Entries<'t> {
    entries: toml::map::Iter<'t, Spanned<toml::de::DeString<'t>>, Spanned<DeValue<'t>>>,
    /// The key that was read last, and its value.
    current: Option<(&'t str, Node<'t>)>,
}

impl<'t> Entries<'t> {
    pub(super) fn new(table: &'t DeTable<'t>) -> Self {
        Self { entries: table.iter(), current: None }
    }
}

impl<'t> de::MapAccess<'t> for Entries<'t> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.current = Some((key.get_ref(), value.into()));
        let name = seed.deserialize(BorrowedStrDeserializer::new(key.get_ref()));
        name.map(Some).map_err(|fault: Fault| fault.or_at(key.span().start))
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (key, value) = self.current.take().ok_or_else(|| Fault::custom("a value was read before its key"))?;
        seed.deserialize(value).map_err(|fault| fault.within(key, value))
    }
}
