//! Generates situations from a seed.

mod cache;
mod calls;
mod odd;
mod records;
mod replies;

use fastrand::Rng;
use shared_token_cache_entra::{client, cloud};

use super::document::Document;
use super::situation::{Options, Situation};
use cache::{Account, Caches};

/// The time that all times of a situation are relative to.
const NOW: u64 = 1_790_000_000;

/// The authority of the public cloud.
const PUBLIC: &str = cloud::DEFAULT_HOST;

/// The hosts of some clouds, and one of no cloud. Calls use the first of each; caches contain all.
const CLOUDS: [&[&str]; 4] = [cloud::CLOUDS[0], cloud::CLOUDS[1], cloud::CLOUDS[2], &["login.contoso.com"]];

/// The Azure CLI's public client, the credential's default.
const CLIENT: &str = client::AZURE_CLI;

/// Another client of the family.
const OTHER_CLIENT: &str = "00000000-aaaa-bbbb-cccc-000000000001";

const SCOPES: [&str; 4] = [
    "https://graph.microsoft.com/.default",
    "https://vault.azure.net/.default",
    "https://management.core.windows.net//.default",
    "api://contoso/Files.Read",
];

const TENANTS: [&str; 4] =
    ["11111111-0000-0000-0000-000000000001", "22222222-0000-0000-0000-000000000002", "contoso.com", "fabrikam.com"];

/// The situation `index` of `seed`; deterministic.
pub(crate) fn situation(seed: u64, index: u64) -> Situation {
    // Mixes the numbers, so that neighbours do not give similar streams.
    let mut random =
        Random(Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index.wrapping_mul(0xD1B5_4A32_D192_ED03)));
    random.0.u64(..);
    let random = &mut random;

    // Some situations are free of oddities, to test plain agreement as well.
    let odd = random.chance(45);
    let cloud = *random.weighted(&[(70, &CLOUDS[0]), (10, &CLOUDS[1]), (10, &CLOUDS[2]), (10, &CLOUDS[3])]);
    let mut caches = cache::caches(random, cloud, odd);
    let mut options = options(random, cloud, &caches.accounts, odd);
    if random.chance(22) {
        records::add(random, cloud, &mut caches, &mut options, odd);
    }
    let Caches { accounts, document } = caches;
    let calls = calls::calls(random, &accounts, &document, &options, odd);
    let text = odd::content(random, document, odd);
    // Most calls do not enable CAE. The other cache holds the same, or nothing.
    let with_cae = calls.iter().any(|call| call.enable_cae).then(|| text.clone()).flatten();
    let handover = random.chance(30);
    Situation { options, without_cae: text, with_cae, calls, handover }
}

fn options(random: &mut Random, cloud: &[&str], accounts: &[Account], odd: bool) -> Options {
    let mut options = Options::default();
    let host = cloud.first().copied().unwrap_or_default();
    let asked = if odd && random.chance(10) { random.pick(cloud) } else { &host };
    options.authority = match random.number(10) {
        0..=3 if *asked == PUBLIC => None,
        4 => {
            options.default_authority = Some((*asked).to_owned());
            None
        }
        5 => Some(format!("https://{asked}/")),
        6 if odd => Some(asked.to_uppercase()),
        _ => Some((*asked).to_owned()),
    };
    if !accounts.is_empty() && (accounts.len() > 1 || random.chance(30)) {
        let account = random.pick(accounts).clone();
        let by = random.number(100);
        if by < 75 {
            options.username = Some(account.username.clone());
        }
        if (65..93).contains(&by) {
            options.home_tenant = Some(account.home_tenant().to_owned());
        }
    }
    if odd {
        odd::options(random, &mut options);
    }
    options
}

/// Random choices.
struct Random(Rng);

impl Random {
    fn number(&mut self, below: u64) -> u64 {
        self.0.u64(..below.max(1))
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.number(100) < percent
    }

    #[expect(clippy::indexing_slicing, reason = "every list that is picked from has something in it")]
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.0.usize(..of.len())]
    }

    #[expect(clippy::indexing_slicing, reason = "every list that is picked from has something in it")]
    fn weighted<'a, T>(&mut self, of: &'a [(u64, T)]) -> &'a T {
        let mut left = self.number(of.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in of {
            if left < *weight {
                return value;
            }
            left -= weight;
        }
        &of[0].1
    }

    /// Shuffles the entries of a document.
    fn shuffle(&mut self, document: &mut Document) {
        for name in ["Account", "RefreshToken", "AccessToken"] {
            if let Some(entries) = document.entries_mut(name) {
                self.0.shuffle(entries);
            }
        }
    }
}
