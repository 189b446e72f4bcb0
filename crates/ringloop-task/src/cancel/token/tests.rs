#[cfg(not(loom))]
mod foreign;
#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod slots;
