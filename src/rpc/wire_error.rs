//! What does an error look like on the wire? Code and sentence where JSON-RPC has places for them;
//! `data` holds the stable kind and the next step. The client turns it back into the same error.

use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::{
    INVALID_PARAMS_CODE, METHOD_NOT_FOUND_CODE, OVERSIZED_RESPONSE_CODE,
    TOO_BIG_BATCH_RESPONSE_CODE,
};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Kind};

/// The `data` member of an error.
#[derive(Serialize)]
struct Data {
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
}

/// The error under its own code.
pub(super) fn to_wire(error: Error) -> ErrorObjectOwned {
    coded(error.kind.code(), error)
}

/// Parameters that the method does not take, under the code JSON-RPC 2.0 §5.1 has for them.
pub(super) fn invalid_params(sentence: String) -> ErrorObjectOwned {
    let next_step = "docs/api.md and rpc.discover list the parameters of every method";
    coded(INVALID_PARAMS_CODE, Error::new(Kind::Request, sentence).hint(next_step))
}

fn coded(code: i32, error: Error) -> ErrorObjectOwned {
    let data = Data { kind: error.kind, next_step: error.next_step };
    ErrorObjectOwned::owned(code, error.sentence, Some(data))
}

/// The error a daemon answered with. A kind that is not known here, from a newer daemon, becomes
/// [`Kind::Daemon`]; its sentence stays.
pub(super) fn from_wire(object: &ErrorObjectOwned) -> Error {
    let data: Value =
        object.data().and_then(|data| serde_json::from_str(data.get()).ok()).unwrap_or_default();
    if data.get("kind").is_none() {
        return from_protocol(object);
    }
    let kind = serde_json::from_value(data["kind"].clone()).unwrap_or(Kind::Daemon);
    let next_step = data["next_step"].as_str().map(str::to_owned);
    Error { kind, sentence: object.message().to_owned(), next_step }
}

/// An error that the protocol layer of the daemon made, not one of its methods.
fn from_protocol(object: &ErrorObjectOwned) -> Error {
    match object.code() {
        OVERSIZED_RESPONSE_CODE | TOO_BIG_BATCH_RESPONSE_CODE => {
            Error::new(Kind::TooLarge, "the answer is larger than the daemon may send")
                .hint("ask for less at once, or raise daemon.response_bytes in the configuration")
        }
        METHOD_NOT_FOUND_CODE => Error::new(Kind::Daemon, "the daemon does not know this method")
            .hint("it may be older than this program: restart it"),
        code => Error::new(
            Kind::Daemon,
            format!("the daemon refused the request: {} ({code})", object.message()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_wire() {
        for error in [
            Error::new(Kind::NoDebugInfo, "no debug info for /usr/sbin/libvirtd")
                .hint("install libvirt-daemon-dbgsym"),
            Error::new(Kind::Cancelled, "the request was cancelled"),
        ] {
            let wire = serde_json::to_string(&to_wire(error.clone())).unwrap();
            let object: ErrorObjectOwned = serde_json::from_str(&wire).unwrap();
            assert_eq!(object.code(), error.kind.code());
            assert_eq!(from_wire(&object), error);
        }
    }

    #[test]
    fn a_kind_from_the_future_keeps_its_sentence() {
        let data = serde_json::json!({ "kind": "eclipsed", "next_step": "wait" });
        let object = ErrorObjectOwned::owned(99, "the moon is in the way", Some(data));
        let error = Error::new(Kind::Daemon, "the moon is in the way").hint("wait");
        assert_eq!(from_wire(&object), error);
    }

    #[test]
    fn an_answer_too_large_to_send_is_too_large_here() {
        let object = ErrorObjectOwned::owned(OVERSIZED_RESPONSE_CODE, "big", Some("limit 9"));
        assert_eq!(from_wire(&object).kind, Kind::TooLarge);
    }
}
