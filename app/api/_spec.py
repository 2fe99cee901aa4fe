from apiflask import APIFlask


def attach(app: APIFlask) -> None:
    pass
