//! Stages 06 to 08: many clients, the class, a protocol.

use std::time::Duration;

use socket2::SockRef;

use crate::client::Judged;
use crate::program::Program;
use crate::sockets::gbk;

/// 06: an echo of lines; a silent client and one that resets the connection stop nobody.
pub(crate) fn nobody_waits_for_another(program: &mut Program) -> Judged {
    let mut silent = program.connect()?;
    let mut second = program.connect()?;
    second.send("second\n");
    second.expect(
        "second\n",
        "an echo of the line, with its \\n. Perhaps it waits for the silent one, who connected first and says nothing:\n\
        nobody may wait for him.",
    )?;
    for _ in 0..3 {
        let mut resetting = program.connect()?;
        resetting.send("re");
        let at_once = SockRef::from(&resetting.stream).set_linger(Some(Duration::ZERO));
        at_once.map_err(|error| error.to_string())?; // what is closed now sends RST in place of FIN
    }
    second.send("again\n");
    second.expect(
        "again\n",
        "an echo of this line, too. Another client has reset its connection (ConnectionResetError, in recv or in send):\n\
        that is his end, not yours.",
    )?;
    let mut crowd = Vec::new();
    for number in 0..50 {
        let mut client = program.connect()?;
        client.send(format!("client {number}\n"));
        crowd.push(client);
    }
    for (number, client) in crowd.iter_mut().enumerate().rev() {
        client.expect(
            format!("client {number}\n"),
            "fifty clients are connected at once, and each gets its own line back.",
        )?;
    }
    silent.send("at last\n");
    silent.expect("at last\n", "the client who was silent so long is still a client.")
}

/// 07: message, answer, close, the next client; and again at the same port at once.
pub(crate) fn it_goes_on_and_starts_again(program: &mut Program) -> Judged {
    three_clients(program)?;
    program.restart()?;
    let why = "the program was killed and started again at once, at the same port. The connections that it closed are in\n\
        TIME_WAIT for a minute, and bind fails, unless SO_REUSEADDR is set before it.";
    three_clients(program).map_err(|lesson| format!("{lesson}\n(After a restart: {why})"))
}

fn three_clients(program: &mut Program) -> Judged {
    let next = "after one client comes the next: accept again.";
    for (name, why) in [("one", "to any message the answer is the tutorial's, in GBK."), ("two", next), ("three", next)]
    {
        let mut client = program.connect()?;
        client.send(name);
        client.expect(gbk("信息已收到，over，over！"), why)?;
        client.expect_end("after the answer the client's socket is closed.")?;
    }
    Ok(())
}

/// 08: `add` and `upper`; what is no command is an error, and the conversation goes on.
pub(crate) fn it_speaks_a_protocol(program: &mut Program) -> Judged {
    let mut client = program.connect()?;
    for (line, answer) in [
        ("add 2 3", "5"),
        ("upper abc", "ABC"),
        ("divide 1 0", "error"),
        ("add two three", "error"),
        ("add -7 3", "-4"),
        ("", "error"),
        ("upper over over", "OVER OVER"),
    ] {
        client.send(format!("{line}\n"));
        let why = format!("`{line}` is answered by `{answer}`, a line. After an error the conversation goes on.");
        client.expect(format!("{answer}\n"), &why)?;
    }
    client.send("add 1 1\nadd 2");
    client.expect("2\n", "a line and a part of the next: chapter 04 holds here, too.")?;
    client.send(" 2\nupper x\n");
    client.expect("4\nX\n", "the other part of the line, and one more.")
}
