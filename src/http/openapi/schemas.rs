//! The types of answers and bodies as JSON Schema, each once.

use schemars::{
    JsonSchema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde_json::{Map, Value};

/// Schemas under construction: of what is written, and of what is read.
pub struct Schemas {
    answers: SchemaGenerator,
    bodies: SchemaGenerator,
}

impl Schemas {
    /// None yet.
    pub fn new() -> Self {
        let settings = |contract: Contract| {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.contract = contract;
            })
        };
        Self {
            answers: settings(Contract::Serialize).into_generator(),
            bodies: settings(Contract::Deserialize).into_generator(),
        }
    }

    /// What an answer of this type looks like: a field is required unless serde may leave it out.
    pub fn answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().to_value()
    }

    /// What a body of this type may look like.
    pub fn body<T: JsonSchema>(&mut self) -> Value {
        self.bodies.subschema_for::<T>().to_value()
    }

    /// The same, in place.
    pub fn body_in_place<T: JsonSchema>(&mut self) -> Value {
        T::json_schema(&mut self.bodies).to_value()
    }

    /// All named ones.
    pub fn finish(mut self) -> Map<String, Value> {
        let mut all = self.answers.take_definitions(true);
        all.extend(self.bodies.take_definitions(true));
        all
    }
}
