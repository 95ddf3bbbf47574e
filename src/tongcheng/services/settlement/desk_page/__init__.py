"""The settlement desk (结算工作台): the page that a clerk keeps open all day."""
