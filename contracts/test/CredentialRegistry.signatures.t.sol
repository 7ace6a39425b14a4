// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {vm} from "./Vm.sol";
import {Relay, RelayedCall, RelayedCalls} from "./support/RelayedCall.sol";
import {RelayTest} from "./support/RelayTest.sol";
import {BusyWallet, LaxWallet, StrictWallet} from "./support/Signers.sol";
import {Wallet} from "./support/Wallet.sol";

/// @title Forms of signatures, and who they are taken from: accounts, wallets, accounts that delegated their code
contract SignaturesTest is RelayTest {
    using RelayedCalls for RelayedCall;

    /// @dev Order of secp256k1.
    uint256 private constant _ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    /* ECDSA */

    /// Every signature has a twin, with the other s; only the one with the lower is taken.
    function test_signature_revertsWithInvalidSignatureOfHighS() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        (uint8 v, bytes32 r, bytes32 s) = _parts(call);
        vm.assertTrue(uint256(s) <= _ORDER / 2);
        bytes memory twin = abi.encodePacked(r, _ORDER - uint256(s), v == 27 ? uint8(28) : uint8(27));
        _expectInvalidSignature(call);
        _send(call, twin);
        _send(call, abi.encodePacked(r, s, v));
    }

    /// ERC-2098: 64 bytes, with the parity in the highest bit of s.
    function test_signature_revertsWithInvalidSignatureOfCompactForm() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        (uint8 v, bytes32 r, bytes32 s) = _parts(call);
        bytes32 yParityAndS = bytes32(uint256(s) | (uint256(v - 27) << 255));
        _expectInvalidSignature(call);
        _send(call, abi.encodePacked(r, yParityAndS));
    }

    function test_signature_revertsWithInvalidSignatureOfOtherParity() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        (uint8 v, bytes32 r, bytes32 s) = _parts(call);
        uint8[4] memory others = [v - 27, v == 27 ? 28 : 27, v + 2, 0xff];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectInvalidSignature(call);
            _send(call, abi.encodePacked(r, s, others[i]));
        }
    }

    function test_signature_revertsWithInvalidSignatureOfOtherLength() public {
        RelayedCall memory call = _valid(Relay.ANCHOR);
        bytes memory signature = _sign(call);
        bytes[4] memory others =
            [bytes(""), bytes.concat(signature, hex"00"), bytes.concat(hex"00", signature), hex"1b"];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectInvalidSignature(call);
            _send(call, others[i]);
        }
    }

    function test_fuzz_signature_revertsWithInvalidSignatureOfAnyBytes(bytes calldata signature) public {
        RelayedCall memory call = _valid(Relay.SUSPEND);
        _expectInvalidSignature(call);
        _send(call, signature);
    }

    function test_fuzz_signature_revertsWithInvalidSignatureIfAnyBitDiffers(uint256 position) public {
        RelayedCall memory call = _valid(Relay.SUSPEND);
        bytes memory signature = _sign(call);
        position %= 65 * 8;
        signature[position / 8] ^= bytes1(uint8(1 << (position % 8)));
        _expectInvalidSignature(call);
        _send(call, signature);
    }

    /// A signature that recovers to nobody is not one of the zero address.
    function test_signature_revertsWithInvalidSignatureForNobody() public {
        RelayedCall memory call = _valid(Relay.ANCHOR);
        call.key = address(0);
        bytes[2] memory signatures = [bytes(""), new bytes(65)];
        for (uint256 i = 0; i < 4; ++i) {
            if (i == 2) _delegate(address(0), address(new LaxWallet()));
            _expectInvalidSignature(call);
            _send(call, signatures[i % 2]);
        }
    }

    /* ERC-1271 */

    function test_signature_ofWallet() public {
        address anchorWallet = _addWallet(SCOPE_ANCHOR);
        address statusWallet = _addWallet(SCOPE_STATUS);
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            call.key = Relay(i) == Relay.ANCHOR ? anchorWallet : statusWallet;
            call.nonce = registry.nonceOf(call.key);
            bytes memory signature = _signAsNew(call);
            bytes32 head = _expectEvent(call);
            _send(call, signature);
            vm.assertEq(_headOf(ISSUER), head);
            _expectDone(call);
        }
        vm.assertEq(registry.nonceOf(statusWallet), 4);
        _audit();
    }

    /// The key's address is signed too: what the owner of two wallets signs for one is nothing for the other.
    function test_signature_revertsWithInvalidSignatureForOtherWalletOfTheOwner() public {
        address[2] memory anchorWallets = [_addWallet(SCOPE_ANCHOR), _addWallet(SCOPE_ANCHOR)];
        address[2] memory statusWallets = [_addWallet(SCOPE_STATUS), _addWallet(SCOPE_STATUS)];
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            address[2] memory wallets = Relay(i) == Relay.ANCHOR ? anchorWallets : statusWallets;
            RelayedCall memory call = _valid(Relay(i));
            (call.key, call.nonce) = (wallets[0], 0);
            bytes memory signature = _signAsNew(call);
            call.key = wallets[1];
            _expectInvalidSignature(call);
            _send(call, signature);
        }
    }

    /// Nor is it anything for the owner's own account.
    function test_signature_revertsWithInvalidSignatureForTheOwner() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        (call.key, call.nonce) = (_addWallet(SCOPE_STATUS), 0);
        bytes memory signature = _signAsNew(call);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 0), NEW_PK);
        call.key = newKey;
        _expectInvalidSignature(call);
        _send(call, signature);
    }

    function test_signature_revertsWithInvalidSignatureOfStrangerForWallet() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        (call.key, call.nonce) = (_addWallet(SCOPE_STATUS), 0);
        bytes memory signature = call.sign(0xbad, block.chainid, address(registry));
        _expectInvalidSignature(call);
        _send(call, signature);
    }

    function test_signature_revertsWithInvalidSignatureIfWalletReverts() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        (call.key, call.nonce) = (_addWallet(SCOPE_STATUS), 0);
        bytes memory signature = _signAsNew(call);
        vm.etch(call.key, address(new StrictWallet()).code);
        _expectInvalidSignature(call);
        _send(call, signature);
    }

    /// While it asks the wallet, nothing can change: the call is a static one.
    function test_signature_revertsWithInvalidSignatureIfWalletChangesState() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        (call.key, call.nonce) = (_addWallet(SCOPE_STATUS), 0);
        bytes memory signature = _signAsNew(call);
        vm.etch(call.key, address(new BusyWallet(registry)).code);
        _expectInvalidSignature(call);
        _send(call, signature);
        vm.assertEq(registry.nonceOf(call.key), 0);
    }

    /// A contract that does not know ERC-1271 signs nothing, nor does anybody in its name.
    function test_signature_revertsWithInvalidSignatureForOtherContract() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        call.key = address(history);
        call.nonce = 0;
        bytes memory signature = _signAsNew(call);
        _expectInvalidSignature(call);
        _send(call, signature);
    }

    /* EIP-7702: docs/adr/0015-delegated-accounts.md */

    /// What the key signed before it delegated its code, and after, is good whatever the delegate thinks of it.
    function test_signature_ofDelegatedAccountIsItsOwn() public {
        address strict = address(new StrictWallet());
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            bytes memory signature = _sign(call);
            _delegate(call.key, strict);
            bytes32 head = _expectEvent(call);
            _send(call, signature);
            vm.assertEq(_headOf(ISSUER), head);
            _expectDone(call);
        }
        _audit();
    }

    /// A careless delegate does not sign for the key.
    function test_signature_revertsWithInvalidSignatureOfDelegate() public {
        address lax = address(new LaxWallet());
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            _delegate(call.key, lax);
            bytes memory signature = call.sign(0xbad, block.chainid, address(registry));
            _expectInvalidSignature(call);
            _send(call, signature);
            _expectInvalidSignature(call);
            _send(call, "");
            _expectInvalidSignature(call);
            _send(call, new bytes(65));
        }
    }

    function test_signature_consentOfDelegatedAccountIsItsOwn() public {
        _delegate(newKey, address(new StrictWallet()));
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        vm.assertEq(registry.keyOf(newKey).issuer, ISSUER);
        _audit();
    }

    /// Code that only resembles a delegation is a contract's, and is asked.
    function test_signature_asksWalletWhoseCodeIsNoDelegation() public {
        RelayedCall memory call = _valid(Relay.REVOKE);
        (call.key, call.nonce) = (_addWallet(SCOPE_STATUS), 0);
        vm.etch(call.key, address(new LaxWallet()).code);
        _send(call, "");
        _expectDone(call);
        _audit();
    }

    function _parts(RelayedCall memory call) private view returns (uint8 v, bytes32 r, bytes32 s) {
        return vm.sign(_privateKeyOf(call), call.digest(block.chainid, address(registry)));
    }

    /// @dev A key that is a wallet owned by `newKey`.
    function _addWallet(uint8 scope) private returns (address wallet) {
        wallet = address(new Wallet(newKey));
        _addKey(controller, _consent(ISSUER, wallet, scope, 0), NEW_PK);
    }

    function _signAsNew(RelayedCall memory call) private view returns (bytes memory) {
        return call.sign(NEW_PK, block.chainid, address(registry));
    }

    function _delegate(address account, address to) private {
        vm.etch(account, abi.encodePacked(hex"ef0100", to));
    }
}
