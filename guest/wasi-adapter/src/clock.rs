use wasi::clocks::wall_clock;

use crate::Adapter;
use crate::wit::clock::Guest;

impl Guest for Adapter {
    fn now() -> u64 {
        wall_clock::now().seconds
    }
}
