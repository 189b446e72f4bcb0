use super::*;

#[test]
fn file_is_found_by_its_path_and_has_no_name() {
    let scratch = Scratch::new(1);
    let path = match scratch.path() {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return,
        path => path.unwrap(),
    };
    let file = File::open(path).unwrap();
    let metadata = file.metadata().unwrap();
    assert_eq!(metadata.len(), u64::from(scratch.pages()) * 4096);
    assert_eq!(metadata.nlink(), 0);
    assert_eq!(scratch.path().unwrap(), path);
}

#[test]
fn memory_is_no_disk() {
    assert!(!is_on_disk(Path::new("/nowhere")));
    if Path::new("/dev/shm").exists() {
        assert!(!is_on_disk(Path::new("/dev/shm")));
    }
}
