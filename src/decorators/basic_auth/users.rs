//! Who may come in: names, and the hashes of their passwords, in the lines that `htpasswd -B` writes.
//!
//! ```text
//! # name:hash; other lines are empty or begin with #
//! alice:$2y$10$AC5gZ8…          bcrypt
//! bob:$argon2id$v=19$m=19456…   argon2
//! ```
//!
//! These hashes are slow by design, so that whoever has stolen the file cannot try many passwords a second.

use std::hash::{BuildHasher, RandomState};
use std::io;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};

/// All users, sorted by name; at least one.
pub(super) struct Users {
    users: Vec<User>,
    /// Chooses whose hash is computed for a name that nobody has.
    decoys: RandomState,
}

struct User {
    name: String,
    hash: Hash,
}

enum Hash {
    Bcrypt(String),
    Argon2(Box<PasswordHash>),
}

impl Users {
    /// Reads the lines. Fails at the first that is wrong, and names it, but never shows the hash.
    pub(super) fn parse(text: &str) -> io::Result<Self> {
        let mut users: Vec<User> = Vec::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let user = User::parse(line).map_err(|what| wrong(format!("line {}: {what}", index + 1)))?;
            if users.iter().any(|known| known.name == user.name) {
                return Err(wrong(format!("line {}: {:?} is there twice", index + 1, user.name)));
            }
            users.push(user);
        }
        if users.is_empty() {
            return Err(wrong("there are no users, so nobody could come in".into()));
        }
        users.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { users, decoys: RandomState::new() })
    }

    /// Whether that is the password. For a name that nobody has, the hash of some user, always the same for the same
    /// name, is computed in vain: so it takes as long.
    pub(super) fn verify(&self, name: &str, password: &str) -> bool {
        self.verify_by(name, |hash| hash.verify(password))
    }

    fn verify_by(&self, name: &str, compute: impl FnOnce(&Hash) -> bool) -> bool {
        let (index, is_known) = match self.users.binary_search_by(|user| user.name.as_str().cmp(name)) {
            Ok(index) => (index, true),
            Err(_) => ((self.decoys.hash_one(name) % self.users.len() as u64) as usize, false),
        };
        let fits = compute(&self.users[index].hash);
        fits && is_known
    }

    pub(super) fn len(&self) -> usize {
        self.users.len()
    }
}

impl User {
    fn parse(line: &str) -> Result<Self, &'static str> {
        let (name, hash) = line.split_once(':').ok_or("it is not `name:hash`")?;
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err("the name is empty, or has a control character");
        }
        let hash = Hash::parse(hash)
            .ok_or("the password is not hashed with bcrypt or argon2; `htpasswd -nB NAME` makes such a line")?;
        Ok(Self { name: name.to_owned(), hash })
    }
}

impl Hash {
    fn parse(text: &str) -> Option<Self> {
        if text.starts_with("$argon2") {
            let hash = PasswordHash::new(text).ok()?;
            // It must be one that can be computed.
            argon2::Params::try_from(&hash).ok()?;
            argon2::Algorithm::new(hash.algorithm.as_str()).ok()?;
            return Some(Self::Argon2(Box::new(hash))).filter(|_| text.matches('$').count() == 5);
        }
        // $2x$ marks the hashes of a program with a fault.
        let is_sound = ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix));
        let parts: bcrypt::HashParts = text.parse().ok().filter(|_| is_sound)?;
        (4..=31).contains(&parts.get_cost()).then(|| Self::Bcrypt(text.to_owned()))
    }

    /// Both compare in constant time.
    fn verify(&self, password: &str) -> bool {
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Argon2(hash) => Argon2::default().verify_password(password.as_bytes(), &**hash).is_ok(),
        }
    }
}

/// The hash of a password, to be written into a line (argon2id, the variant and the costs that RFC 9106 and OWASP advise).
pub(super) fn hash(password: &str) -> io::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| io::Error::other(error.to_string()))
}

fn wrong(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bcrypt_line(name: &str, password: &str) -> String {
        format!("{name}:{}", bcrypt::hash(password, 4).unwrap())
    }

    #[test]
    fn both_hashes_are_understood_and_only_the_right_password_fits() {
        let argon2 = format!("bob:{}", hash("seven steps").unwrap());
        let text = format!("# users\r\n\r\n{}\n{argon2}\n", bcrypt_line("alice", "pass:word"));
        let users = Users::parse(&text).unwrap();
        assert_eq!(users.len(), 2);
        assert!(users.verify("alice", "pass:word"));
        assert!(users.verify("bob", "seven steps"));
        for (name, password) in
            [("alice", "seven steps"), ("alice", ""), ("bob", "Seven steps"), ("", ""), ("Alice", "pass:word")]
        {
            assert!(!users.verify(name, password), "{name}");
        }
    }

    /// Counted, since a clock would be no proof.
    #[test]
    fn one_hash_is_computed_whether_the_name_is_known_or_not_and_a_decoy_lets_nobody_in() {
        let text = format!("{}\n{}\n", bcrypt_line("alice", "a"), bcrypt_line("bob", "b"));
        let users = Users::parse(&text).unwrap();
        for name in ["alice", "bob", "eve", "", "alice2", "\u{4e03}"] {
            for fits in [true, false] {
                let mut computed = 0;
                let is_in = users.verify_by(name, |_| {
                    computed += 1;
                    fits
                });
                assert_eq!(computed, 1, "{name:?}");
                assert_eq!(is_in, fits && ["alice", "bob"].contains(&name), "{name:?}");
            }
        }
        let decoy = |name| {
            let mut of = String::new();
            users.verify_by(name, |hash| {
                let Hash::Bcrypt(text) = hash else { panic!("there is no other") };
                of.clone_from(text);
                false
            });
            of
        };
        assert_eq!(decoy("eve"), decoy("eve"), "else a second try would tell that the name is none");
    }

    #[test]
    fn a_wrong_line_is_named_and_its_secret_is_not_shown() {
        let good = bcrypt_line("alice", "x");
        for (line, what) in [
            ("alice", "it is not"),
            (":$2y$04$abc", "the name is empty"),
            ("a\u{1b}b:x", "control character"),
            ("bob:secret", "not hashed"),
            ("bob:", "not hashed"),
            ("bob:{SHA}secret", "not hashed"),
            ("bob:$apr1$secret$abc", "not hashed"),
            ("bob:$2y$04$secret", "not hashed"),
            ("bob:$argon2id$secret", "not hashed"),
            ("bob:$argon2id$v=19$m=19456,t=2,p=1$c2VjcmV0c2VjcmV0", "not hashed"),
            (&good.replace("$2b$04", "$2x$04"), "not hashed"),
            (&good.replace("$04$", "$99$"), "not hashed"),
            (&good, "twice"),
        ] {
            let Err(error) = Users::parse(&format!("{good}\n\n{line}")) else { panic!("{line} was taken") };
            let error = error.to_string();
            assert!(
                error.starts_with("line 3: ") && error.contains(what) && !error.contains("secret"),
                "{line}: {error}"
            );
        }
        assert!(Users::parse("# nobody\n").is_err());
    }

    #[test]
    fn a_line_that_htpasswd_wrote_is_understood() {
        let users = Users::parse("alice:$2y$04$C5fytMGH5ip/aRzTfPU/z.cWUkPv5H0om1mM3Ak1ZHQYchjhinGY2").unwrap();
        assert!(users.verify("alice", "seven steps"));
        assert!(!users.verify("alice", "six steps"));
    }
}
