//! How requests are sent: by whom, over what, and how long each step may take.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::Limits;

/// A server may send a request on so often.
const MAX_REDIRECTS: u32 = 5;

/// The agent that sends all requests. It knows no cookies, and sends nothing but what every request has
/// and the name of this program.
pub(super) fn agent(limits: &Limits) -> Agent {
    let within = |time: Duration| Some(time);
    Agent::config_builder()
        .user_agent(concat!("dbgmate/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(MAX_REDIRECTS)
        .timeout_resolve(within(limits.connect))
        .timeout_connect(within(limits.connect))
        .timeout_recv_response(within(limits.stall))
        .timeout_per_read(within(limits.stall))
        .timeout_global(within(limits.total))
        .tls_config(tls())
        .build()
        .new_agent()
}

/// Why an address cannot be asked, if so.
pub(super) fn refusal(url: &str) -> Option<String> {
    match url.split_once("://") {
        Some(("http", _)) => None,
        Some(("https", _)) => can_encrypt().err(),
        _ => Some("it is no http:// or https:// address".to_owned()),
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn tls() -> TlsConfig {
    let provider = std::sync::Arc::new(rustls_graviola::default_provider());
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn tls() -> TlsConfig {
    TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build()
}

/// graviola needs instructions that old processors, and the virtual ones of qemu64, do not have, and
/// panics without (its README, "Limitations").
fn can_encrypt() -> Result<(), String> {
    #[cfg(target_arch = "x86_64")]
    let can = is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("avx")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("adx")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("pclmulqdq");
    #[cfg(target_arch = "aarch64")]
    let can = std::arch::is_aarch64_feature_detected!("aes")
        && std::arch::is_aarch64_feature_detected!("sha2")
        && std::arch::is_aarch64_feature_detected!("pmull")
        && std::arch::is_aarch64_feature_detected!("neon");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let can = false;
    match can {
        true => Ok(()),
        false => Err("this processor cannot encrypt as https needs it: name an http:// \
                      address"
            .to_owned()),
    }
}
