use crate::plugin::State;
use crate::plugin::wit::clock::Host;

impl Host for State {
    fn now(&mut self) -> u64 {
        self.context.clock.now()
    }
}
