//! Bytes and text: a socket carries bytes, and an encoding says which bytes a text is. UTF-8 and GBK differ.
//!
//! Type:  cargo run --example 04_encodings
//! and you will see the same text as two kinds of bytes, what becomes of it when the other side reads them as the wrong
//! kind, and how far the kind can be found out from the bytes alone. Next: 05_framing.

use std::io;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GBK, UTF_8};

mod support;

const MESSAGE: &str = "你好，服务端！";

fn main() -> io::Result<()> {
    println!("1. Text to bytes, and back");
    let (utf_8, gbk) = (MESSAGE.as_bytes(), encode(MESSAGE));
    println!("   UTF-8 {}: {utf_8:02x?}", utf_8.len());
    println!("   GBK   {}: {gbk:02x?}", gbk.len());
    support::expect(decode(utf_8, UTF_8) == MESSAGE && decode(&gbk, GBK) == MESSAGE, "both come back whole", &gbk)?;

    println!("2. Read as what they are not");
    let (wrong, lost) = (decode("你好".as_bytes(), GBK), decode(&encode("你好"), UTF_8));
    println!("   你好 in UTF-8, read as GBK: {wrong}");
    println!("   你好 in GBK, read as UTF-8: {lost}");
    println!("   the latter sent on in UTF-8, and read as GBK: {}", decode(lost.as_bytes(), GBK));
    support::expect(wrong == "浣犲ソ", "the wrong text looks like text", &wrong)?;
    support::expect(decode(&encode(&wrong), UTF_8) == "你好", "it can be read again: no byte was lost", &wrong)?;
    support::expect(lost.contains('\u{fffd}'), "where no character fits, U+FFFD stands, and the byte is lost", &lost)?;

    println!("3. What GBK has no bytes for");
    let (letter, _, had_unmappable) = GBK.encode("naïve 🙂");
    println!("   naïve 🙂 becomes {}, as in a form that a browser sends", decode(&letter, GBK));
    support::expect(had_unmappable, "the encoder says that it had to replace something", &letter)?;

    println!("4. Found out from the bytes");
    for text in ["你好", "信息已收到，请继续发送下一条消息。谢谢！"] {
        let (of_utf_8, of_gbk) = (detect(text.as_bytes()), detect(&encode(text)));
        println!("   {text}: UTF-8 is taken for {}, GBK for {}", of_utf_8.name(), of_gbk.name());
        support::expect(of_utf_8 == UTF_8, "bytes that are valid UTF-8 are UTF-8", of_utf_8)?;
        support::expect(text == "你好" || of_gbk == GBK, "a whole sentence is known to be GBK", of_gbk)?;
        support::expect(utf_8_or_gbk(&encode(text)) == GBK, "to choose from two is easier", text)?;
        support::expect(utf_8_or_gbk(text.as_bytes()) == UTF_8, "to choose from two is easier", text)?;
    }
    println!("04_encodings: both encodings were read back, mistaken for each other on purpose, and told apart");
    Ok(())
}

/// `text.encode('gbk')`
fn encode(text: &str) -> Vec<u8> {
    GBK.encode(text).0.into_owned()
}

/// `data.decode('gbk', errors='replace')`
fn decode(data: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(data).0.into_owned()
}

/// For those who expect one of the two: UTF-8 has such strict rules that text in GBK hardly ever keeps them.
fn utf_8_or_gbk(data: &[u8]) -> &'static Encoding {
    if str::from_utf8(data).is_ok() { UTF_8 } else { GBK }
}

/// For those who expect anything: a guess by what is frequent in each language. It needs a sentence or two.
fn detect(data: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(data, true);
    detector.guess(None, Utf8Detection::Allow)
}
