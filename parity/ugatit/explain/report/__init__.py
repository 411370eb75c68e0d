"""What the runs came to, in figures (`summary`), words (`story`, `text`), pictures (`plots`) and one page (`page`)."""
