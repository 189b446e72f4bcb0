use super::super::CancelToken;

#[test]
fn children_that_are_gone_leave_their_slots() {
    let token = CancelToken::new();
    for _ in 0..1000 {
        let first = token.child();
        let second = token.child();
        drop(first);
        drop(second);
    }
    assert_eq!(token.state.links().children.len(), 2);
    let children = token.state.links().children.iter().flatten().count();
    assert_eq!(children, 0);
}

#[test]
fn child_keeps_its_ancestors_and_no_longer() {
    let root = CancelToken::new();
    let leaf = root.child().child();
    assert_eq!(std::sync::Arc::strong_count(&root.state), 2);
    root.cancel("all");
    assert!(
        leaf.is_cancelled(),
        "through an ancestor that nobody else has"
    );
    drop(leaf);
    assert_eq!(std::sync::Arc::strong_count(&root.state), 1);
}
