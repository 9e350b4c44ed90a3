//! Made-up frames with blocks of headers, whole and split.

use proptest::prelude::*;

use super::*;

const PREFACE_BYTES: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let [.., a, b, c] = payload.len().to_be_bytes();
    [&[a, b, c, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// The bytes that reach the server when a client sends these, in pieces of this size.
fn rewritten(sent: &[u8], size: usize) -> io::Result<Vec<u8>> {
    let mut requests = Requests::default();
    let mut got = Vec::new();
    for piece in sent.chunks(size.max(1)) {
        requests.take(piece)?;
        let mut bytes = [0; 7];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            if !requests.give(&mut buffer) {
                break;
            }
            got.extend(buffer.filled());
        }
    }
    Ok(got)
}

fn block(headers: &mut Headers, bytes: &[u8]) -> Vec<u8> {
    headers.rewrite(bytes).unwrap()
}

#[test]
fn an_authority_is_replaced_in_every_form() {
    let path = b"%2Frun%2Fsds.sock";
    let value = [&[u8::try_from(path.len()).unwrap()], path.as_slice()].concat();
    let coded = [0xb8, 0x3b, 0x53, 0x39, 0xec, 0x32, 0x7d, 0x7f];
    for name in [
        // By number: added to the table, not added, never added.
        vec![0x41],
        vec![0x01],
        vec![0x11],
        // By name, plain and coded.
        [b"\x40\x0a".as_slice(), b":authority"].concat(),
        [b"\x00\x0a".as_slice(), b":authority"].concat(),
        [b"\x40\x88".as_slice(), &coded].concat(),
    ] {
        for value in [value.clone(), vec![0], vec![0x83, 0xff, 0xff, 0xff]] {
            let sent = [&[0x83], name.as_slice(), &value, &[0x86, 0x84]].concat();
            let expected = [&[0x83], name.as_slice(), b"\x01a", &[0x86, 0x84]].concat();
            assert_eq!(block(&mut Headers::default(), &sent), expected, "{sent:x?}");
        }
    }
    // The fixed table's field, whose value is empty.
    assert_eq!(block(&mut Headers::default(), b"\x81"), b"\x01\x01a");
}

#[test]
fn an_authority_in_the_table_is_recognised_by_its_number() {
    let mut headers = Headers::default();
    block(&mut headers, b"\x41\x02%2\x40\x01x\x01y");
    // Number 63 is the `:authority`: its name with another value is added, and then both are used
    // again.
    assert_eq!(block(&mut headers, b"\x7f\x00\x02%3"), b"\x7f\x00\x01a");
    assert_eq!(block(&mut headers, b"\x0f\x2f\x02%4"), b"\x0f\x2f\x01a", "62");
    assert_eq!(block(&mut headers, b"\x0f\x30\x02%4"), b"\x0f\x30\x02%4", "63 is the other field");
    assert_eq!(block(&mut headers, b"\x0f\x31\x02%4"), b"\x0f\x31\x01a", "64");
    assert_eq!(block(&mut headers, b"\xbe\xc0"), b"\xbe\xc0", "the server's table has the replacement");
    assert_eq!(block(&mut headers, b"\x3f\xe1\x1f\x20"), b"\x3f\xe1\x1f\x20", "sizes of the table");
}

#[test]
fn a_truncated_or_too_large_block_ends_the_connection() {
    let good = [PREFACE_BYTES, &frame(HEADERS, END_HEADERS, 1, b"\x41\x01x")].concat();
    assert!(rewritten(&good, 1).is_ok());
    let huge = vec![0x82; LARGEST_FRAME];
    let many: Vec<u8> = (0..5).flat_map(|_| frame(CONTINUATION, 0, 1, &huge)).collect();
    let empty: Vec<u8> = (0..=MOST_FRAMES).flat_map(|_| frame(CONTINUATION, 0, 1, &[])).collect();
    for bad in [
        frame(HEADERS, END_HEADERS, 1, b"\x41\x09x"),
        frame(HEADERS, END_HEADERS, 1, b"\x7f\xff\xff\xff\xff\xff\x01"),
        frame(HEADERS, END_HEADERS | PADDED, 1, b"\x05x"),
        frame(HEADERS, END_HEADERS | PRIORITY, 1, b"1234"),
        frame(HEADERS, END_HEADERS, 1, &vec![0x82; LARGEST_FRAME + 1]),
        [frame(HEADERS, 0, 1, b""), frame(0, 0, 1, b"x")].concat(),
        [frame(HEADERS, 0, 1, b""), frame(CONTINUATION, END_HEADERS, 3, b"")].concat(),
        [frame(HEADERS, 0, 1, b""), many].concat(),
        [frame(HEADERS, 0, 1, b""), empty].concat(),
    ] {
        let sent = [PREFACE_BYTES, &bad].concat();
        assert!(rewritten(&sent, sent.len()).is_err() && rewritten(&sent, 1000).is_err(), "{:x?}", &bad[..9]);
    }
}

#[test]
fn a_block_that_outgrows_its_frame_continues_in_another() {
    let fields = vec![0x81; LARGEST_FRAME];
    let sent = [PREFACE_BYTES, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields)].concat();
    let got = rewritten(&sent, 4096).unwrap();
    let all = b"\x01\x01a".repeat(LARGEST_FRAME);
    let (first, rest) = all.split_at(LARGEST_FRAME);
    let (second, third) = rest.split_at(LARGEST_FRAME);
    let frames = [
        PREFACE_BYTES.to_vec(),
        frame(HEADERS, END_STREAM, 1, first),
        frame(CONTINUATION, 0, 1, second),
        frame(CONTINUATION, END_HEADERS, 1, third),
    ];
    assert_eq!(got, frames.concat());
}

/// A field as the client sends it, and as the server must receive it.
fn field() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let text = |bytes: Vec<u8>| [vec![u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let value = proptest::collection::vec(any::<u8>(), 0..100).prop_map(text);
    let kind = prop_oneof![Just(0x40_u8), Just(0), Just(0x10)];
    let name = "[a-z:][a-z-]{0,20}".prop_filter("another name", |name| name != ":authority");
    prop_oneof![
        (kind.clone(), value.clone())
            .prop_map(|(kind, value)| { ([vec![kind | 1], value].concat(), vec![kind | 1, 1, b'a']) }),
        (kind.clone(), name, value.clone()).prop_map(move |(kind, name, value)| {
            let same = [vec![kind], text(name.into_bytes()), value].concat();
            (same.clone(), same)
        }),
        (kind, 2..=14_u8, value).prop_map(|(kind, number, value)| {
            let same = [vec![kind | number], value].concat();
            (same.clone(), same)
        }),
        (0x82..=0xbd_u8).prop_map(|field| (vec![field], vec![field])),
    ]
}

proptest! {
    #[test]
    fn no_input_causes_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), size in 1..50_usize) {
        drop(rewritten(&bytes, size));
        drop(rewritten(&[PREFACE_BYTES, &bytes].concat(), size));
        drop(rewritten(&[PREFACE_BYTES, &frame(HEADERS, END_HEADERS, 1, &bytes)].concat(), size));
    }

    #[test]
    fn a_request_arrives_unchanged_except_for_its_authority(
        fields in proptest::collection::vec(field(), 0..20),
        cuts in proptest::collection::vec(0..200_usize, 0..4),
        padding in proptest::option::of(0..20_u8),
        has_priority in any::<bool>(),
        data in proptest::collection::vec(any::<u8>(), 0..300),
        size in 1..100_usize,
    ) {
        let (sent, expected): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        let (sent, expected) = (sent.concat(), expected.concat());
        let mut pieces = Vec::new();
        let mut rest = sent.as_slice();
        for position in cuts {
            let (piece, after) = cut(rest, position);
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let last = pieces.len() - 1;
        let mut client = PREFACE_BYTES.to_vec();
        let other = [frame(4, 0, 0, &[0; 6]), frame(0, 0, 1, &data)].concat();
        client.extend(&other);
        for (position, piece) in pieces.iter().enumerate() {
            let end = if position == last { END_HEADERS } else { 0 };
            if position > 0 {
                client.extend(frame(CONTINUATION, end, 3, piece));
                continue;
            }
            let mut flags = end | END_STREAM;
            let mut payload = piece.to_vec();
            if has_priority {
                flags |= PRIORITY;
                payload = [b"12345", payload.as_slice()].concat();
            }
            if let Some(padding) = padding {
                flags |= PADDED;
                payload = [vec![padding], payload, vec![0; usize::from(padding)]].concat();
            }
            client.extend(frame(HEADERS, flags, 3, &payload));
        }
        client.extend(&other);
        let (flags, priority) = if has_priority { (PRIORITY, b"12345".as_slice()) } else { (0, b"".as_slice()) };
        let headers = frame(HEADERS, END_HEADERS | END_STREAM | flags, 3, &[priority, &expected].concat());
        let server = [PREFACE_BYTES, &other, &headers, &other].concat();
        prop_assert_eq!(rewritten(&client, size).unwrap(), server);
    }
}
