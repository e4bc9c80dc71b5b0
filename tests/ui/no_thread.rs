//! State that cannot be shared by the loops.

use std::cell::RefCell;
use std::rc::Rc;

use qibu::Router;

fn main() {
    let visits = Rc::new(RefCell::new(0));
    let _ = Router::new().get("/", move |_| {
        *visits.borrow_mut() += 1;
        visits.borrow().to_string()
    });
}

//~ `Rc<RefCell<i32>>` cannot be sent between threads safely
