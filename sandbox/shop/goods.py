"""What the two shops sell. Prices are gross, in cents; texts in German and English."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    de: str
    en: str


@dataclass(frozen=True)
class Good:
    """`picture` is the name of a drawing in templates/shop/pictures.html."""

    sku: str
    price: int
    picture: str
    name: Text
    short: Text
    long: Text
    unit: Text


@dataclass(frozen=True)
class Shop:
    """`slug` is in the address and in the webhook endpoint's; `prefix` begins its order numbers."""

    slug: str
    name: str
    prefix: str
    claim: Text
    welcome: Text
    about: Text
    goods: tuple[Good, ...]

    def good(self, sku: str) -> Good | None:
        return next((good for good in self.goods if good.sku == sku), None)


MORGENROT = Shop(
    slug="cafe-morgenrot",
    name="Café Morgenrot",
    prefix="CM",
    claim=Text("Kaffeerösterei seit 1998", "Coffee roasters since 1998"),
    welcome=Text("Guten Morgen beginnt in der Rösttrommel.", "A good morning starts in the roasting drum."),
    about=Text(
        "Wir rösten dienstags und freitags in kleinen Mengen und schicken am selben Tag los.",
        "We roast in small batches on Tuesdays and Fridays and ship the same day.",
    ),
    goods=(
        Good(
            "espresso-no-1",
            1490,
            "beans_dark",
            Text("Espresso No. 1", "Espresso No. 1"),
            Text("Kakao, Haselnuss, dunkles Karamell", "Cocoa, hazelnut, dark caramel"),
            Text(
                "Unsere Hausmischung aus Brasilien und Indien: kräftig, mit wenig Säure und dichter Crema. "
                "Gut für Siebträger und Herdkanne.",
                "Our house blend from Brazil and India: strong, low in acidity, with a dense crema. "
                "Good for espresso machines and moka pots.",
            ),
            Text("500 g, ganze Bohne", "500 g, whole beans"),
        ),
        Good(
            "yirgacheffe",
            1190,
            "beans_light",
            Text("Yirgacheffe", "Yirgacheffe"),
            Text("Jasmin, Bergamotte, Pfirsich", "Jasmine, bergamot, peach"),
            Text(
                "Gewaschener Hochlandkaffee aus Äthiopien, hell geröstet. Am schönsten als Filterkaffee.",
                "Washed highland coffee from Ethiopia, lightly roasted. At its best as filter coffee.",
            ),
            Text("250 g, ganze Bohne", "250 g, whole beans"),
        ),
        Good(
            "handfilter",
            2490,
            "dripper",
            Text("Handfilter Porzellan", "Porcelain dripper"),
            Text("Für zwei Tassen, spülmaschinenfest", "For two cups, dishwasher safe"),
            Text(
                "Gegossen in Thüringen, außen matt, innen glasiert. Passt auf jede Tasse und jede Kanne.",
                "Cast in Thuringia, matt outside, glazed inside. Fits every cup and every pot.",
            ),
            Text("1 Stück", "1 piece"),
        ),
        Good(
            "probierpaket",
            3290,
            "parcel",
            Text("Probierpaket", "Tasting box"),
            Text("Vier Kaffees zum Vergleichen", "Four coffees to compare"),
            Text(
                "Vier mal 150 g, von hell bis dunkel, mit Brühanleitung. Ein gutes Geschenk.",
                "Four times 150 g, from light to dark, with a brewing guide. A good present.",
            ),
            Text("4 × 150 g", "4 × 150 g"),
        ),
    ),
)

NORDLICHT = Shop(
    slug="nordlicht-outdoor",
    name="Nordlicht Outdoor",
    prefix="NO",
    claim=Text("Ausrüstung für lange Nächte", "Gear for long nights"),
    welcome=Text("Draußen wird es früh dunkel. Gut so.", "It gets dark early out there. Good."),
    about=Text(
        "Wenig Auswahl, lange erprobt: Jedes Teil war mit uns einen Winter unterwegs.",
        "A short range, tested for long: every piece has been out with us for a winter.",
    ),
    goods=(
        Good(
            "zelt-polaris",
            34900,
            "tent",
            Text("Zelt Polaris 2", "Polaris 2 tent"),
            Text("2 Personen, 1,9 kg, Vier-Jahreszeiten", "2 persons, 1.9 kg, four seasons"),
            Text(
                "Steht bei Sturm in vier Minuten. Zwei Eingänge, zwei Apsiden, Nähte von Hand abgedichtet.",
                "Up in four minutes, in a storm too. Two doors, two porches, seams sealed by hand.",
            ),
            Text("1 Stück", "1 piece"),
        ),
        Good(
            "jacke-tromso",
            21990,
            "jacket",
            Text("Daunenjacke Tromsø", "Tromsø down jacket"),
            Text("800 cuin, 410 g, wasserabweisend", "800 cuin, 410 g, water repellent"),
            Text(
                "Warm bis minus fünfzehn Grad und klein wie eine Trinkflasche, wenn sie verpackt ist.",
                "Warm down to minus fifteen degrees, and as small as a bottle once it is packed.",
            ),
            Text("Größe M", "Size M"),
        ),
        Good(
            "flasche-fjell",
            3490,
            "flask",
            Text("Thermosflasche Fjell", "Fjell flask"),
            Text("0,75 l, hält 24 Stunden heiß", "0.75 l, hot for 24 hours"),
            Text(
                "Doppelwandiger Edelstahl, Deckel als Becher, mit Handschuhen zu öffnen.",
                "Double-walled steel, the lid is a cup, and it opens with gloves on.",
            ),
            Text("1 Stück", "1 piece"),
        ),
        Good(
            "lampe-aurora",
            5990,
            "lamp",
            Text("Stirnlampe Aurora", "Aurora head torch"),
            Text("420 Lumen, 60 Stunden, Rotlicht", "420 lumens, 60 hours, red light"),
            Text(
                "Lädt über USB-C, dimmt stufenlos und blendet niemanden im Zelt.",
                "Charges by USB-C, dims smoothly and dazzles nobody in the tent.",
            ),
            Text("1 Stück", "1 piece"),
        ),
    ),
)

SHOPS = {shop.slug: shop for shop in (MORGENROT, NORDLICHT)}
