//! The committed seeds are good inputs: every target takes all of them.

use crate::TARGETS;
use std::fs;
use std::path::Path;

#[test]
fn every_target_takes_every_seed() {
    for (seeds_of, _) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(seeds_of);
        for seed in fs::read_dir(folder).unwrap() {
            let data = fs::read(seed.unwrap().path()).unwrap();
            TARGETS.iter().for_each(|(_, target)| target(&data));
        }
    }
}
