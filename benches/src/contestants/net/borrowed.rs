//! The work of a server where streams read and write borrowed slices.
//!
//! Their types and traits differ, the words for it do not, so the words are here.

/// Serves one `TcpStream` of the module that asks for it, with the traits that it has in scope:
/// `echo`, `sink` and `source`.
macro_rules! services {
    () => {
        async fn echo(mut stream: TcpStream, len: u32) -> io::Result<()> {
            let mut buffer = vec![0; len as usize];
            loop {
                let count = stream.read(&mut buffer).await?;
                if count == 0 {
                    return Ok(());
                }
                stream.write_all(&buffer[..count]).await?;
            }
        }

        async fn sink(mut stream: TcpStream) -> io::Result<()> {
            let mut buffer = vec![0; BULK_BUFFER];
            while stream.read(&mut buffer).await? > 0 {}
            Ok(())
        }

        async fn source(mut stream: TcpStream, bytes: u64) -> io::Result<()> {
            let buffer = vec![1; BULK_BUFFER];
            for _ in 0..bytes / BULK_BUFFER as u64 {
                stream.write_all(&buffer).await?;
            }
            Ok(())
        }
    };
}

pub(super) use services;
