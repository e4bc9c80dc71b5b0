//! What is queued, in which order it leaves, and who is told.

use std::sync::{Arc, Mutex};

use super::super::queue::{COPY_AT_MOST_BYTES, WAITS_FOR_FILE_BYTES};
use super::*;
use crate::message::Watchers;

fn content(output: &Output) -> Vec<Vec<u8>> {
    let mut slices = [IoSlice::new(&[]); SLICES_PER_WRITE];
    let count = output.slices(&mut slices);
    slices[..count].iter().map(|slice| slice.to_vec()).collect()
}

fn file(length: u64) -> FileSlice {
    FileSlice { file: Arc::new(tempfile::tempfile().unwrap()), offset: 0, length }
}

#[test]
fn a_head_and_a_small_body_are_one_slice() {
    let mut output = Output::default();
    output.put(b"head ");
    output.put_bytes(Bytes::from_static(b"body"));
    assert_eq!(content(&output), [b"head body"]);
}

#[test]
fn order_is_kept_among_copies_references_and_files() {
    let mut output = Output::default();
    let large = Bytes::from(vec![b'x'; COPY_AT_MOST_BYTES + 1]);
    output.put(b"a");
    output.put_bytes(large.clone());
    output.put(b"b");
    output.put_file(file(5), 0);
    output.put(b"c");
    assert_eq!(content(&output), [b"a".to_vec(), large.to_vec(), b"b".to_vec()]);
    output.advance(1 + large.len() + 1);
    assert!(matches!(output.front(), Front::File { slice, .. } if slice.length == 5));
    output.advance(5);
    assert_eq!(content(&output), [b"c"]);
    assert!(matches!(output.front(), Front::Bytes(b"c")));
    output.advance(1);
    assert!(output.is_empty());
    assert_eq!(output.sent(), 8 + large.len() as u64);
}

#[test]
fn a_short_write_leaves_the_rest_in_front() {
    let mut output = Output::default();
    output.put(b"abcdef");
    output.advance(2);
    output.put(b"gh");
    assert_eq!(content(&output), [b"cdefgh"]);
}

#[test]
fn file_bytes_are_not_memory_but_a_queued_file_is_enough() {
    let mut output = Output::default();
    output.put_file(file(1 << 40), 0);
    assert_eq!(output.memory(), 0);
    assert!(output.is_full());
}

#[test]
fn a_head_waits_for_a_small_file_only() {
    for (length, expected) in [(1, More::Follows), (WAITS_FOR_FILE_BYTES, More::Nothing)] {
        let mut output = Output::default();
        output.put(b"head");
        output.put_file(file(length), 0);
        assert!(matches!(output.front(), Front::Pieces { more } if more == expected));
    }
}

/// What these receipts were told.
fn fate(told: &Arc<Mutex<Vec<u64>>>) -> Fate {
    let (told, mut watchers) = (told.clone(), Watchers::default());
    watchers.add(Box::new(move |sent| told.lock().unwrap().push(sent.body_bytes)));
    watchers.take_fate().unwrap()
}

#[test]
fn receipts_are_told_when_the_last_byte_of_their_body_is_sent_and_not_before() {
    let told = Arc::default();
    let mut output = Output::default();
    for body in ["12345", "", "123"] {
        output.put(b"head ");
        output.begin_receipt(StatusCode::OK, fate(&told));
        output.put(body.as_bytes());
        output.end_receipt();
    }
    for (sent, so_far) in [(9, &[][..]), (1, &[5]), (4, &[5]), (1, &[5, 0]), (7, &[5, 0]), (1, &[5, 0, 3])] {
        output.advance(sent);
        assert_eq!(*told.lock().unwrap(), so_far);
    }
}

#[test]
fn receipts_of_a_client_that_leaves_say_how_much_it_got() {
    for (sent, expected) in
        [(0, [0, 0]), (5, [0, 0]), (8, [3, 0]), (15 + 4096, [10 + 4096, 0]), (30 + 4096, [10 + 4096, 5])]
    {
        let told = Arc::default();
        let mut output = Output::default();
        output.put(b"head ");
        output.begin_receipt(StatusCode::OK, fate(&told));
        output.put_file(file(4096), 0);
        output.put(b"0123456789");
        output.end_receipt();
        output.put(b"head 12345");
        output.begin_receipt(StatusCode::OK, fate(&told));
        output.put(b"a stream that is never complete");
        output.advance(sent);
        drop(output);
        assert_eq!(*told.lock().unwrap(), expected, "{sent} bytes sent");
    }
}

#[test]
fn an_empty_output_gives_its_memory_back() {
    let (mut output, mut spare) = (Output::default(), None);
    output.put(b"abc");
    output.give_back(&mut spare);
    assert!(spare.is_none(), "it is still in use");
    output.advance(3);
    output.give_back(&mut spare);
    assert_eq!(output.capacity(), 0);
    let kept = spare.as_ref().map_or(0, |queue| queue.capacity());
    assert!(kept > 0);

    output.borrow(&mut spare);
    assert_eq!((output.capacity(), spare.is_none()), (kept, true));
}
