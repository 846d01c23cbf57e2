//! The executor: selections, aliases, arguments, variables, fragments, `@include` and `@skip`.

use graphql_parser::query::{
    Definition, Directive, Document, Field, FragmentDefinition, OperationDefinition, Selection,
    SelectionSet, TypeCondition, Value as Literal,
};
use serde_json::{Map, Value, json};

use super::node::{Args, Context, GqlError, Node, Object, Resolved};
use super::{app, mutation, query};

/// A query nested deeper than this is refused.
const DEEPEST: usize = 24;

struct Run<'a, 'd> {
    document: &'a Document<'d, String>,
    variables: &'a Map<String, Value>,
    errors: Vec<Value>,
    path: Vec<Value>,
    depth: usize,
}

pub(crate) fn root_fields(text: &str) -> Vec<String> {
    let Ok(document) = graphql_parser::parse_query::<String>(text) else { return Vec::new() };
    let mut names = Vec::new();
    for definition in &document.definitions {
        let Definition::Operation(operation) = definition else { continue };
        for item in &selection_of(operation).items {
            if let Selection::Field(field) = item {
                names.extend(field.alias.clone());
                names.push(field.name.clone());
            }
        }
    }
    names
}

fn selection_of<'o, 'd>(
    operation: &'o OperationDefinition<'d, String>,
) -> &'o SelectionSet<'d, String> {
    match operation {
        OperationDefinition::SelectionSet(set) => set,
        OperationDefinition::Query(query) => &query.selection_set,
        OperationDefinition::Mutation(mutation) => &mutation.selection_set,
        OperationDefinition::Subscription(subscription) => &subscription.selection_set,
    }
}

fn name_of<'o>(operation: &'o OperationDefinition<'_, String>) -> Option<&'o str> {
    match operation {
        OperationDefinition::SelectionSet(_) => None,
        OperationDefinition::Query(query) => query.name.as_deref(),
        OperationDefinition::Mutation(mutation) => mutation.name.as_deref(),
        OperationDefinition::Subscription(subscription) => subscription.name.as_deref(),
    }
}

/// Runs one operation of a document: the named one, else the first.
pub(crate) fn execute(
    context: &mut Context<'_>,
    document: &Document<'_, String>,
    name: Option<&str>,
    variables: &Map<String, Value>,
) -> Value {
    let operations: Vec<_> = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::Operation(operation) => Some(operation),
            Definition::Fragment(_) => None,
        })
        .collect();
    let named = operations.iter().find(|operation| name.is_some() && name_of(operation) == name);
    let Some(operation) = named.or(operations.first()) else {
        return super::errors("No operation was present", "BAD_REQUEST");
    };
    let root = match operation {
        OperationDefinition::Mutation(_) if !may_write(context) => {
            return super::errors("Not authorized to perform this action", "UNAUTHORIZED");
        }
        OperationDefinition::Mutation(_) => Object::Mutation,
        OperationDefinition::Subscription(_) => {
            return super::errors("Schema is not configured for subscriptions", "BAD_REQUEST");
        }
        _ => Object::Query,
    };
    let mut run = Run { document, variables, errors: Vec::new(), path: Vec::new(), depth: 0 };
    let mut data = Map::new();
    run.select(context, &root, selection_of(operation), &mut data);
    let mut answer = json!({ "data": data });
    if !run.errors.is_empty() {
        answer["errors"] = Value::Array(run.errors);
    }
    answer
}

fn may_write(context: &Context<'_>) -> bool {
    context.caller.may_write()
}

impl<'a, 'd> Run<'a, 'd> {
    fn select(
        &mut self,
        context: &mut Context<'_>,
        object: &Object,
        set: &SelectionSet<'_, String>,
        out: &mut Map<String, Value>,
    ) {
        // Fragments may name each other in a circle: this ends them as well.
        if self.depth == DEEPEST {
            self.error(&GqlError::invalid("query is nested too deeply"));
            return;
        }
        self.depth += 1;
        for item in &set.items {
            match item {
                Selection::Field(field) if self.wanted(&field.directives) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name);
                    self.path.push(json!(key));
                    let value = self.field(context, object, field);
                    self.path.pop();
                    merge(out, key, value);
                }
                Selection::InlineFragment(inline)
                    if self.wanted(&inline.directives)
                        && applies(inline.type_condition.as_ref(), object) =>
                {
                    self.select(context, object, &inline.selection_set, out);
                }
                Selection::FragmentSpread(spread) if self.wanted(&spread.directives) => {
                    let Some(fragment) = self.fragment(&spread.fragment_name) else {
                        let name = &spread.fragment_name;
                        self.error(&GqlError::invalid(format!("Fragment {name} was not defined")));
                        continue;
                    };
                    if applies(Some(&fragment.type_condition), object) {
                        self.select(context, object, &fragment.selection_set, out);
                    }
                }
                _ => {}
            }
        }
        self.depth -= 1;
    }

    fn fragment(&self, name: &str) -> Option<&'a FragmentDefinition<'d, String>> {
        self.document.definitions.iter().find_map(|definition| match definition {
            Definition::Fragment(fragment) if fragment.name == name => Some(fragment),
            _ => None,
        })
    }

    fn field(
        &mut self,
        context: &mut Context<'_>,
        object: &Object,
        field: &Field<'_, String>,
    ) -> Value {
        let args = Args(
            field
                .arguments
                .iter()
                .filter_map(|(name, literal)| Some((name.clone(), self.value(literal)?)))
                .collect(),
        );
        match resolve(context, object, &field.name, &args) {
            Ok(node) => self.complete(context, node, &field.selection_set),
            Err(error) => {
                self.error(&error);
                Value::Null
            }
        }
    }

    fn complete(
        &mut self,
        context: &mut Context<'_>,
        node: Node,
        set: &SelectionSet<'_, String>,
    ) -> Value {
        match node {
            Node::Leaf(value) => value,
            Node::List(nodes) => {
                nodes.into_iter().map(|node| self.complete(context, node, set)).collect()
            }
            Node::Object(object) => {
                let mut out = Map::new();
                self.select(context, &object, set, &mut out);
                Value::Object(out)
            }
        }
    }

    /// A literal as JSON; an undeclared or absent variable counts as not given.
    fn value(&self, literal: &Literal<'_, String>) -> Option<Value> {
        Some(match literal {
            Literal::Variable(name) => return self.variables.get(name).cloned(),
            Literal::Int(number) => json!(number.as_i64()),
            Literal::Float(number) => json!(number),
            Literal::String(text) | Literal::Enum(text) => json!(text),
            Literal::Boolean(flag) => json!(flag),
            Literal::Null => Value::Null,
            Literal::List(items) => items.iter().filter_map(|item| self.value(item)).collect(),
            Literal::Object(fields) => Value::Object(
                fields
                    .iter()
                    .filter_map(|(name, field)| Some((name.clone(), self.value(field)?)))
                    .collect(),
            ),
        })
    }

    fn wanted(&self, directives: &[Directive<'_, String>]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.arguments.iter().find(|(name, _)| name == "if");
            let condition = condition.and_then(|(_, literal)| self.value(literal));
            match (directive.name.as_str(), condition.and_then(|value| value.as_bool())) {
                ("include", Some(flag)) => flag,
                ("skip", Some(flag)) => !flag,
                _ => true,
            }
        })
    }

    fn error(&mut self, error: &GqlError) {
        self.errors.push(json!({
            "message": error.message, "path": self.path, "extensions": { "code": error.code },
        }));
    }
}

fn resolve(context: &mut Context<'_>, object: &Object, name: &str, args: &Args) -> Resolved {
    if name == "__typename" {
        return Ok(Node::leaf(object.type_name()));
    }
    let found = match object {
        Object::Query => query::field(context, name, args),
        Object::Mutation => mutation::field(context, name, args),
        Object::App(app) => app::field(context, app, name, args),
        Object::Org(slug) => query::org_field(context, slug, name),
        Object::Machine(app, id) => app::machine_field(context, app, id, name),
        Object::Record(_, fields) => {
            Ok(fields.iter().find(|(field, _)| *field == name).map(|(_, node)| copy(node)))
        }
    };
    found?.ok_or_else(|| GqlError {
        message: format!("Field '{name}' doesn't exist on type '{}'", object.type_name()),
        code: "undefinedField",
    })
}

/// Records are finished values: an alias may ask for a field twice.
fn copy(node: &Node) -> Node {
    match node {
        Node::Leaf(value) => Node::Leaf(value.clone()),
        Node::List(nodes) => Node::List(nodes.iter().map(copy).collect()),
        Node::Object(object) => Node::Object(match object {
            Object::Query => Object::Query,
            Object::Mutation => Object::Mutation,
            Object::App(name) => Object::App(name.clone()),
            Object::Org(slug) => Object::Org(slug.clone()),
            Object::Machine(app, id) => Object::Machine(app.clone(), id.clone()),
            Object::Record(name, fields) => {
                Object::Record(name, fields.iter().map(|(key, node)| (*key, copy(node))).collect())
            }
        }),
    }
}

fn applies(condition: Option<&TypeCondition<'_, String>>, object: &Object) -> bool {
    let Some(TypeCondition::On(name)) = condition else { return true };
    // "Node" is the interface that everything with an id implements.
    name == object.type_name() || name == "Node"
}

/// Two selections of one key are one field.
fn merge(out: &mut Map<String, Value>, key: &str, value: Value) {
    match (out.get_mut(key), value) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            for (key, value) in new {
                merge(old, &key, value);
            }
        }
        (_, value) => {
            out.insert(key.to_owned(), value);
        }
    }
}
