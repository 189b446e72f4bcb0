use super::*;

/// Runs `$test` with each bridge, each on a thread of its own as the runner does.
macro_rules! on_each_bridge {
    ($test:ident) => {
        on_each_bridge!($test: tokio::Tokio, facade::Facade, alone::Alone);
        #[cfg(feature = "peers")]
        on_each_bridge!($test: monoio::Monoio, glommio::Glommio, compio::Compio, smol::Smol);
    };
    ($test:ident: $($name:ty),+) => {
        $(thread::spawn($test::<$name>).join().unwrap();)+
    };
}

/// The sum of all results, if a bridge computes each number once.
fn expected(grain: Grain, items: u32) -> u64 {
    (0..items).fold(0, |sum: u64, number| sum.wrapping_add(grain.run(number)))
}

#[test]
fn every_number_is_mapped_once() {
    fn test<B: Bridge>() {
        let grain = Grain::of(Duration::from_micros(2));
        let offload = Offload::<B>::new();
        match offload.run(Pool::Cpu(2), async move { B::map(grain, 500).await }) {
            Ok(sum) => assert_eq!(sum, expected(grain, 500), "{}", B::NAME),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}"),
        }
    }
    on_each_bridge!(test);
}

#[test]
fn jobs_run_on_other_threads_without_being_awaited() {
    fn test<B: Bridge>() {
        let done = Offload::<B>::new().run(Pool::Blocking, async {
            let (sender, ran) = std::sync::mpsc::channel();
            let call = B::submit(move || sender.send(thread::current().id()));
            let elsewhere = loop {
                // Some are handed over by the loop.
                let _slept = B::Loop::sleep(Duration::from_millis(1)).await;
                if let Ok(id) = ran.try_recv() {
                    break id != thread::current().id();
                }
            };
            call.await.unwrap();
            elsewhere
        });
        match done {
            Ok(elsewhere) => assert!(elsewhere, "{}", B::NAME),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}"),
        }
    }
    on_each_bridge!(test);
}
