use crate::sandbox::State;
use crate::sandbox::wit::clock::Host;

impl Host for State {
    fn now(&mut self) -> u64 {
        self.context.clock.now()
    }
}
