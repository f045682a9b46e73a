//! JSON in one form only: keys sorted, no spaces, numbers in their shortest exact form, no null but in the histories, where it has a
//! meaning: an epoch's loss that was not finite, or a share of nothing.

use serde_json::Value;

/// Deepest nesting that is written; the reader's limit (serde_json's) is 128.
const DEEPEST: usize = 100;

/// The one text of a value.
///
/// # Errors
/// The path of a null (what a NaN or infinity becomes) or of what is nested too deeply, with words.
pub(super) fn canonical(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    let mut path = Vec::new();
    write(value, &mut path, &mut out)?;
    Ok(out)
}

fn write<'a>(value: &'a Value, path: &mut Vec<std::borrow::Cow<'a, str>>, out: &mut String) -> Result<(), String> {
    if path.len() > DEEPEST {
        return Err(format!("{} ... is nested more than {DEEPEST} deep", path[..6].join(".")));
    }
    match value {
        Value::Null if path.first().is_some_and(|key| key == "history" || key == "other_histories") => {
            out.push_str("null");
            Ok(())
        }
        Value::Null => Err(format!("{} is null: a NaN, an infinity, or nothing", path.join("."))),
        // The scalars' own texts are canonical: shortest exact floats, and one way to escape.
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
            Ok(())
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                path.push(i.to_string().into());
                write(item, path, out)?;
                path.pop();
            }
            out.push(']');
            Ok(())
        }
        Value::Object(map) => {
            // Sorted here, since a feature of serde_json that any crate can turn on keeps the order of insertion.
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (i, (key, item)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                path.push(key.into());
                write(item, path, out)?;
                path.pop();
            }
            out.push('}');
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_text() {
        let value = json!({"b": [1, 0.1, "x\n"], "a": {"d": true, "c": -0.5e-300}});
        assert_eq!(canonical(&value).unwrap(), r#"{"a":{"c":-5e-301,"d":true},"b":[1,0.1,"x\n"]}"#);
    }

    #[test]
    fn nulls_and_depth_are_refused_with_their_path() {
        let error = canonical(&json!({"settings": {"lr": f64::NAN}})).unwrap_err();
        assert!(error.starts_with("settings.lr is null"), "{error}");
        let history = json!({"history": {"epochs": [{"train_loss": f64::INFINITY}]}});
        assert_eq!(canonical(&history).unwrap(), r#"{"history":{"epochs":[{"train_loss":null}]}}"#);
        let others = json!({"other_histories": [{"epochs": [{"update_ratios": [null]}]}]});
        assert_eq!(canonical(&others).unwrap(), others.to_string());
        let mut deep = json!(1);
        for _ in 0..110 {
            deep = json!([deep]);
        }
        assert!(canonical(&deep).unwrap_err().contains("nested more than 100 deep"));
    }
}
