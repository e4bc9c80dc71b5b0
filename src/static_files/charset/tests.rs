use super::super::beneath::Fingerprint;
use super::*;

/// Enough of a language to be recognised.
const CHINESE: &str =
    "七步是每个服务器都要走的路：创建套接字，绑定地址，监听端口，接受连接，接收数据，发送数据，关闭连接。";
const TAIWANESE: &str =
    "每個伺服器都要走這七步：建立通訊端，繫結位址，監聽連接埠，接受連線，接收資料，傳送資料，關閉連線。";
const JAPANESE: &str = "サーバーはどれも七つの手順を踏みます。ソケットを作り、アドレスに結び、接続を待ち、データを受け取り、送り返します。";
const KOREAN: &str =
    "모든 서버는 일곱 단계를 거칩니다. 소켓을 만들고, 주소에 묶고, 연결을 기다리고, 데이터를 받고, 보내고, 닫습니다.";
const RUSSIAN: &str =
    "Каждый сервер проходит семь шагов: создать сокет, привязать адрес, слушать порт, принять соединение.";
const FRENCH: &str = "Chaque serveur suit sept étapes : créer le socket, l’attacher à une adresse, écouter, accepter, être prêt à répondre.";

fn encode(label: &str, text: &str) -> Vec<u8> {
    let (bytes, _, has_gaps) = Encoding::for_label(label.as_bytes()).unwrap().encode(text);
    assert!(!has_gaps, "{label} cannot write this text");
    bytes.into_owned()
}

fn name(bytes: &[u8], text: Text) -> String {
    detect(&sample::of_bytes(bytes), text).name()
}

/// The charset that is found for a file of these bytes.
fn name_of_file(bytes: &[u8]) -> String {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let charset = Charsets::default().of(&mut file, bytes.len() as u64, Text::Other, None);
    charset.unwrap().name()
}

#[test]
fn a_text_is_recognised_by_its_bytes() {
    for (label, text) in [
        ("utf-8", CHINESE),
        ("gbk", CHINESE),
        ("big5", TAIWANESE),
        ("shift_jis", JAPANESE),
        ("euc-jp", JAPANESE),
        ("euc-kr", KOREAN),
        ("windows-1251", RUSSIAN),
        ("koi8-u", RUSSIAN),
        ("windows-1252", FRENCH),
    ] {
        assert_eq!(name(&encode(label, text), Text::Other), label);
        assert_eq!(decode(&encode(label, text)), text, "{label}");
    }
}

#[test]
fn gb18030_is_read_by_the_name_gbk() {
    // Every browser reads both names with the decoder of GB18030; this character has four bytes in it.
    let bytes = encode("gb18030", &format!("{CHINESE}𠮷"));
    assert_eq!(name(&bytes, Text::Other), "gbk");
    assert_eq!(decode(&bytes), format!("{CHINESE}𠮷"));
}

#[test]
fn a_byte_order_mark_is_believed_first() {
    assert_eq!(name(b"\xEF\xBB\xBF<meta charset=gbk>\xC4\xE3", Text::Html), "utf-8");
    assert_eq!(name(b"\xFF\xFEa\0", Text::Other), "utf-16le");
    assert_eq!(name(b"\xFE\xFF\0a", Text::Other), "utf-16be");
    assert_eq!(decode(b"\xFF\xFEa\0"), "a");
}

#[test]
fn what_is_utf_8_is_so_whatever_it_says_of_itself() {
    assert_eq!(name("<meta charset=gbk>七步".as_bytes(), Text::Html), "utf-8");
}

#[test]
fn what_is_not_utf_8_is_what_it_says() {
    assert_eq!(name(b"<meta charset=windows-1250>\xE1", Text::Html), "windows-1250");
    assert_eq!(name(b"@charset \"windows-1250\";/*\xE1*/", Text::Css), "windows-1250");
    assert_eq!(name(b"<meta charset=windows-1250>\xE1", Text::Other), "windows-1252", "plain text says nothing");
}

#[test]
fn ascii_is_utf_8_unless_it_says_otherwise() {
    assert_eq!(name(b"", Text::Html), "utf-8");
    assert_eq!(name(b"plain", Text::Other), "utf-8");
    assert_eq!(name(b"<meta charset=utf-16>", Text::Html), "utf-8");
    assert_eq!(name(b"<meta charset=iso-2022-jp>\x1B$B%F\x1B(B", Text::Html), "iso-2022-jp");
}

#[test]
fn some_garbage_in_a_log_does_not_spoil_it() {
    let log = [CHINESE.as_bytes(), b"\xFF\xC4\n", RUSSIAN.as_bytes()].concat();
    assert_eq!(name(&log, Text::Other), "utf-8");
}

#[test]
fn the_last_byte_counts() {
    assert_eq!(name(b"caf\xE9", Text::Other), "windows-1252");
    let cut = &CHINESE.as_bytes()[..CHINESE.len() - 1];
    assert_eq!(name(cut, Text::Other), "utf-8", "a file that is still being written");
}

#[test]
fn a_file_that_begins_with_ascii_is_looked_at_to_its_end() {
    for start in [1024, 10_000, 1_000_000] {
        let ascii = "int main(void);\n".repeat(start / 16);
        for (label, text) in [("utf-8", CHINESE), ("gbk", CHINESE), ("big5", TAIWANESE), ("euc-kr", KOREAN)] {
            let bytes = [ascii.as_bytes(), &encode(label, text)].concat();
            assert_eq!(name_of_file(&bytes), label, "{label} behind {start} bytes");
        }
    }
}

#[test]
fn a_large_file_is_cut_where_no_character_is_cut() {
    for (label, text) in [("utf-8", CHINESE), ("gb18030", CHINESE), ("gbk", CHINESE), ("shift_jis", JAPANESE)] {
        let lines = encode(label, &format!("{text}\n")).repeat(20_000);
        for extra in 0..4 {
            let bytes = [b"x".repeat(extra), lines.clone()].concat();
            let found = name_of_file(&bytes);
            assert_eq!(found, label.replace("gb18030", "gbk"), "{extra} bytes further");
        }
    }
}

#[test]
fn a_large_file_of_one_line_is_known_by_its_start() {
    for label in ["gbk", "utf-8"] {
        assert_eq!(name_of_file(&encode(label, "七步每个服务器都要走的路").repeat(20_000)), label);
    }
}

#[test]
fn what_was_found_is_remembered_for_that_version_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let charsets = Charsets::default();
    let charset_of = |content: &[u8], version: Option<&Fingerprint>| {
        let path = folder.path().join("text");
        std::fs::write(&path, content).unwrap();
        let mut file = std::fs::File::open(&path).unwrap();
        charsets.of(&mut file, content.len() as u64, Text::Other, version).unwrap().name()
    };
    let version = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, name).unwrap();
        Fingerprint::taken_from_an_old_file(&path, &path.metadata().unwrap())
    };
    let (first, second) = (version("first"), version("second"));
    assert_eq!(charset_of(&encode("gbk", CHINESE), Some(&first)), "gbk");
    assert_eq!(charset_of(b"not read again", Some(&first)), "gbk");
    assert_eq!(charset_of(b"another version", Some(&second)), "utf-8");
    assert_eq!(charset_of(&encode("gbk", CHINESE), None), "gbk", "no version yet");
}

#[test]
fn a_file_that_has_become_shorter_is_not_guessed_at() {
    for length in [100, 1_000_000] {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, b"short").unwrap();
        let error = Charsets::default().of(&mut file, length, Text::Other, None).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    }
}
