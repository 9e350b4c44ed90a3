use sha2::{Digest as _, Sha256};

/// This many bytes of the hash distinguish the accounts of a machine, and of a company.
const BYTES: usize = 8;

/// The fingerprint of an account: the first 16 hexadecimal digits of the SHA-256 of its home
/// account id in lower case.
pub(crate) fn fingerprint(home_account_id: &str) -> String {
    let hash = Sha256::digest(home_account_id.to_ascii_lowercase().as_bytes());
    hash.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_one_fingerprint_however_it_is_spelled() {
        // printf %s uid-00000000.utid-00000000 | sha256sum | cut -c1-16
        assert_eq!(fingerprint("uid-00000000.utid-00000000"), "7cd4cd9cc41a2cfc");
        assert_eq!(fingerprint("UID-00000000.utid-00000000"), fingerprint("uid-00000000.utid-00000000"));
        assert_ne!(fingerprint("uid-00000001.utid-00000000"), fingerprint("uid-00000000.utid-00000000"));
    }
}
