//! The notes in SQLite. Every call may wait for the disk, so the handlers that use it run on the worker pool.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Result, params};
use serde::Serialize;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, author TEXT NOT NULL,
        picture BLOB, picture_type TEXT);";

/// One connection is enough for a small application: SQLite writes one at a time anyway.
pub(crate) struct Store {
    connection: Mutex<Connection>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) author: String,
    pub(crate) has_picture: bool,
}

/// A picture and its media type.
pub(crate) type Picture = (Vec<u8>, String);

impl Store {
    /// Opens or creates the database. A new one has the user `demo`.
    pub(crate) fn open(path: &str) -> Result<Self> {
        let store = Self { connection: Mutex::new(Connection::open(path)?) };
        store.lock().execute_batch(TABLES)?;
        let users: i64 = store.lock().query_row("SELECT count(*) FROM users", [], |row| row.get(0))?;
        if users == 0 {
            store.add_user("demo", "seven steps")?;
        }
        Ok(store)
    }

    pub(crate) fn add_user(&self, name: &str, password: &str) -> Result<()> {
        let hash = bcrypt::hash(password, 6).unwrap_or_default(); // an empty hash fits no password
        self.lock().execute("INSERT INTO users (name, hash) VALUES (?1, ?2)", [name, &hash]).map(drop)
    }

    /// Takes as long for a name that nobody has, so that names cannot be guessed by the clock.
    pub(crate) fn knows(&self, name: &str, password: &str) -> Result<bool> {
        const NOBODY: &str = "$2b$06$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu";
        let find = "SELECT hash FROM users WHERE name = ?1";
        let hash: Option<String> = self.lock().query_row(find, [name], |row| row.get(0)).optional()?;
        let fits = bcrypt::verify(password, hash.as_deref().unwrap_or(NOBODY)).unwrap_or(false);
        Ok(fits && hash.is_some())
    }

    pub(crate) fn list(&self) -> Result<Vec<Note>> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT id, text, author, picture NOTNULL FROM notes ORDER BY id")?;
        let notes = query.query_map([], |row| {
            Ok(Note { id: row.get(0)?, text: row.get(1)?, author: row.get(2)?, has_picture: row.get(3)? })
        })?;
        notes.collect()
    }

    pub(crate) fn add(&self, text: &str, author: &str) -> Result<Note> {
        let connection = self.lock();
        connection.execute("INSERT INTO notes (text, author) VALUES (?1, ?2)", [text, author])?;
        let id = connection.last_insert_rowid();
        Ok(Note { id, text: text.into(), author: author.into(), has_picture: false })
    }

    /// Whether there is such a note.
    pub(crate) fn change(&self, id: i64, text: &str) -> Result<bool> {
        Ok(self.lock().execute("UPDATE notes SET text = ?2 WHERE id = ?1", params![id, text])? > 0)
    }

    /// Whether there was such a note.
    pub(crate) fn remove(&self, id: i64) -> Result<bool> {
        Ok(self.lock().execute("DELETE FROM notes WHERE id = ?1", [id])? > 0)
    }

    /// Whether there is such a note.
    pub(crate) fn set_picture(&self, id: i64, (bytes, media_type): &Picture) -> Result<bool> {
        let set = "UPDATE notes SET picture = ?2, picture_type = ?3 WHERE id = ?1";
        Ok(self.lock().execute(set, params![id, bytes, media_type])? > 0)
    }

    pub(crate) fn picture(&self, id: i64) -> Result<Option<Picture>> {
        let find = "SELECT picture, picture_type FROM notes WHERE id = ?1 AND picture NOTNULL";
        self.lock().query_row(find, [id], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    }

    /// A handler that panicked has left no transaction open, so the lock is still good.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
